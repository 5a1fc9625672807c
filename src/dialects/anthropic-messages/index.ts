import type { UpstreamDialect } from '../dialect.ts'
import { readError } from './errors.ts'
import { writeRequest } from './request.ts'
import { readReply } from './response.ts'
import { reader } from './stream.ts'
import { watch } from './watch.ts'

/** Anthropic's Messages: `POST /v1/messages`. */
export const anthropicMessages: UpstreamDialect = {
  name: 'anthropic-messages',
  framing: 'sse',
  writeRequest,
  readReply,
  reader,
  readError,
  watch,
}
