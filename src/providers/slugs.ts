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
  'ollama',
  'lmstudio',
  'vllm',
  'llamacpp',
] as const
