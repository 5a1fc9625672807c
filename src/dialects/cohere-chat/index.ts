import type { UpstreamDialect } from '../dialect.ts'
import { readError } from './errors.ts'
import { writeRequest } from './request.ts'
import { readReply } from './response.ts'
import { reader } from './stream.ts'
import { watch } from './watch.ts'

/** Cohere's Chat API, version 2. */
export const cohereChat: UpstreamDialect = {
  name: 'cohere-chat',
  framing: 'sse',
  writeRequest,
  readReply,
  reader,
  readError,
  watch,
}
