import { anthropic } from './anthropic.ts'
import { awsBedrock } from './aws-bedrock.ts'
import { azureOpenai } from './azure-openai.ts'
import { baseten } from './baseten.ts'
import { cartesia } from './cartesia.ts'
import { cerebras } from './cerebras.ts'
import { cohere } from './cohere.ts'
import { deepgram } from './deepgram.ts'
import { deepseek } from './deepseek.ts'
import { elevenlabs } from './elevenlabs.ts'
import { fal } from './fal.ts'
import { fireworks } from './fireworks.ts'
import { googleAiStudio } from './google-ai-studio.ts'
import { googleVertexAi } from './google-vertex-ai.ts'
import { grok } from './grok.ts'
import { groq } from './groq.ts'
import { huggingface } from './huggingface.ts'
import { ideogram } from './ideogram.ts'
import { llamacpp, lmstudio, ollama, vllm } from './local.ts'
import { mistral } from './mistral.ts'
import { openai } from './openai.ts'
import { openrouter } from './openrouter.ts'
import { parallel } from './parallel.ts'
import { perplexityAi } from './perplexity-ai.ts'
import type { Provider } from './provider.ts'
import { replicate } from './replicate.ts'
import { together } from './together.ts'
import { workersAi } from './workers-ai.ts'

/** Every provider that Postern knows by itself. The next one is a record in a file of its own and a line here. */
export const builtIn: readonly Provider[] = [
  openai,
  azureOpenai,
  anthropic,
  googleAiStudio,
  googleVertexAi,
  awsBedrock,
  workersAi,
  mistral,
  cohere,
  groq,
  grok,
  deepseek,
  openrouter,
  perplexityAi,
  cerebras,
  fireworks,
  together,
  huggingface,
  baseten,
  parallel,
  replicate,
  fal,
  ideogram,
  cartesia,
  deepgram,
  elevenlabs,
  ollama,
  lmstudio,
  vllm,
  llamacpp,
]
