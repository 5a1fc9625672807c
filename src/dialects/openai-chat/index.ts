import type { ClientDialect, UpstreamDialect } from '../dialect.ts'
import { readAnyError } from '../errors.ts'
import { writeError } from './errors.ts'
import { readRequest } from './request.ts'
import { writeRequest } from './request-writer.ts'
import { readReply, writeReply } from './response.ts'
import { reader } from './stream-reader.ts'
import { writer } from './stream-writer.ts'
import { watch } from './watch.ts'

/** OpenAI Chat Completions: the dialect that every client speaks and most providers claim to. */
export const openaiChat: UpstreamDialect & ClientDialect = {
  name: 'openai-chat',
  framing: 'sse',
  readRequest,
  writeRequest,
  readReply,
  writeReply,
  reader,
  writer,
  readError: readAnyError,
  writeError,
  watch,
}
