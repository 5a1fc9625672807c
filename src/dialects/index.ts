import { anthropicMessages } from './anthropic-messages/index.ts'
import { bedrockConverse } from './bedrock-converse/index.ts'
import { cohereChat } from './cohere-chat/index.ts'
import type { DialectName, UpstreamDialect } from './dialect.ts'
import { gemini } from './gemini/index.ts'
import { ollamaChat } from './ollama-chat/index.ts'
import { openaiChat } from './openai-chat/index.ts'
import { workersAi } from './workers-ai/index.ts'

/** Every wire format by its name. The next one is a folder of its own and a line here. */
export const dialects: Record<DialectName, UpstreamDialect> = {
  'openai-chat': openaiChat,
  'anthropic-messages': anthropicMessages,
  gemini,
  'bedrock-converse': bedrockConverse,
  'cohere-chat': cohereChat,
  'ollama-chat': ollamaChat,
  'workers-ai': workersAi,
}
