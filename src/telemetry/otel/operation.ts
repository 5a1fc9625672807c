/**
 * What an attempt did, in the words of OpenTelemetry's GenAI conventions (`gen_ai.operation.name`), told by its path.
 * @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/
 */
export function operationOf(path: string): string {
  if (CHAT.test(path)) return 'chat'
  if (EMBEDDINGS.test(path)) return 'embeddings'
  if (TEXT.test(path)) return 'text_completion'
  return 'generate_content'
}

const CHAT = /(\/chat\/completions|\/chat|\/responses|\/messages|\/converse|\/converse-stream|\/api\/chat)(\?|$)/
const EMBEDDINGS = /(\/embeddings?|\/embed|:(batch)?[eE]mbedContents?)(\?|$)/
const TEXT = /\/(completions|complete|generate)(\?|$)/

/** Names of providers in the conventions, where they are not ours. */
const NAMES: Readonly<Record<string, string>> = {
  'aws-bedrock': 'aws.bedrock',
  'azure-openai': 'azure.ai.openai',
  'google-ai-studio': 'gcp.gemini',
  'google-vertex-ai': 'gcp.vertex_ai',
  grok: 'x_ai',
  mistral: 'mistral_ai',
  'perplexity-ai': 'perplexity',
}

/** `gen_ai.provider.name` for a provider's slug. */
export const conventionalProvider = (slug: string): string => NAMES[slug] ?? slug
