import type { DialectName, Watch } from '../dialect.ts'
import { dialects } from '../index.ts'
import { watch as ollama } from '../ollama-chat/watch.ts'
import { watch as completions } from '../openai-chat/watch.ts'
import { bedrockInvoke } from './bedrock-invoke.ts'
import { cohereMeta } from './cohere-meta.ts'
import { mistralOcr } from './mistral-ocr.ts'
import { openaiEmbeddings } from './openai-embeddings.ts'
import { openaiImages, openaiSpeech, openaiTranscriptions } from './openai-media.ts'
import { openaiResponses } from './openai-responses.ts'
import { vertexPredict } from './vertex-predict.ts'

export { type Form, formOf, readAlong, readValue, type Sighting } from './read.ts'

/** A format that is read along with and not translated. */
const others = {
  'openai-completions': completions,
  'openai-responses': openaiResponses,
  'openai-embeddings': openaiEmbeddings,
  'openai-images': openaiImages,
  'openai-transcriptions': openaiTranscriptions,
  'openai-speech': openaiSpeech,
  'cohere-meta': cohereMeta,
  'vertex-predict': vertexPredict,
  'mistral-ocr': mistralOcr,
  'ollama-generate': ollama,
  /** The two of Bedrock's InvokeModel are the model's own JSON, which a stream wraps in AWS frames of the event `chunk`. */
  'bedrock-invoke': bedrockInvoke,
  'bedrock-invoke-anthropic': bedrockInvoke,
} satisfies Record<string, Watch>

/** A format whose answers can be read along with. */
export type WatchedFormat = DialectName | keyof typeof others

export const watchOf = (format: WatchedFormat): Watch =>
  format in others ? others[format as keyof typeof others] : dialects[format as DialectName].watch
