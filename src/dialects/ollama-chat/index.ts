import type { UpstreamDialect } from '../dialect.ts'
import { readError } from './errors.ts'
import { writeRequest } from './request.ts'
import { readReply } from './response.ts'
import { reader } from './stream.ts'
import { watch } from './watch.ts'

/** Ollama's own `/api/chat`. */
export const ollamaChat: UpstreamDialect = {
  name: 'ollama-chat',
  framing: 'ndjson',
  writeRequest,
  readReply,
  reader,
  readError,
  watch,
}
