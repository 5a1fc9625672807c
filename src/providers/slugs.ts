/**
 * The slugs of the built-in providers as plain words, for the configuration, which must be readable without loading
 * the providers themselves; a test holds it against the list in index.ts.
 */
export const providerSlugs = [
  'openai',
  'azure-openai',
  'anthropic',
  'google-ai-studio',
  'google-vertex-ai',
  'aws-bedrock',
  'workers-ai',
  'mistral',
  'cohere',
  'groq',
  'grok',
  'deepseek',
  'openrouter',
  'perplexity-ai',
  'cerebras',
  'fireworks',
  'together',
  'huggingface',
  'baseten',
  'parallel',
  'replicate',
  'fal',
  'ideogram',
  'cartesia',
  'deepgram',
  'elevenlabs',
  'ollama',
  'lmstudio',
  'vllm',
  'llamacpp',
] as const

/** Their other prefixes, in the order of the providers. */
export const providerAliases = [
  'azure',
  'google',
  'gemini',
  'vertex',
  'google-vertex',
  'vertex-ai',
  'bedrock',
  'xai',
  'x-ai',
  'perplexity',
  'hf',
] as const
