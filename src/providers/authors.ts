/** Models that Cloudflare hosts itself, `@cf/meta/llama-…` and the older `@hf/…`: the whole id is the provider's own. */
export const isHosted = (model: string) => /^@(?:cf|hf)\//.test(model)

/**
 * A model id of the REST plane as this gateway names models (contract 1.7): `author/model`, in which the author is a
 * provider's slug or alias already, stays; one of Cloudflare's own gets its provider in front.
 */
export const modelName = (model: string) => (isHosted(model) ? `workers-ai/${model}` : model)
