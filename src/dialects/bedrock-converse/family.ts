/** Whose model it is, as far as that changes what Converse takes for it. */
export type Family = 'claude' | 'nova' | 'nova-2' | 'mistral' | 'cohere' | 'llama' | 'gpt-oss' | 'other'

/** Takes a model id, an inference profile (`us.…`) or an ARN. An ARN without a model's name is `other`. */
export function familyOf(model: string): Family {
  const name = model.toLowerCase()
  if (name.includes('claude')) return 'claude'
  if (/nova-2\b|nova-2-/.test(name)) return 'nova-2'
  if (name.includes('amazon.nova')) return 'nova'
  if (/mistral|mixtral|magistral|ministral|pixtral|voxtral|devstral/.test(name)) return 'mistral'
  if (name.includes('cohere.')) return 'cohere'
  if (name.includes('llama')) return 'llama'
  if (name.includes('gpt-oss')) return 'gpt-oss'
  return 'other'
}

/**
 * Models of other makers that take a JSON schema in `outputConfig` (Claude's are in claude.ts).
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
 */
export function takesSchema(model: string): boolean {
  return /gpt-oss|qwen3|deepseek\.v3|kimi-k2|minimax-m2|gemma-3|nemotron|ministral-3|mistral-large-3|magistral|voxtral/.test(
    model.toLowerCase(),
  )
}
