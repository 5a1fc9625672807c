import type { UpstreamDialect } from '../dialect.ts'
import { readError } from './errors.ts'
import { writeRequest } from './request.ts'
import { readReply } from './response.ts'
import { reader } from './stream.ts'
import { watch } from './watch.ts'

/** Google's `generateContent`, as Google AI Studio and Vertex AI speak it. */
export const gemini: UpstreamDialect = {
  name: 'gemini',
  framing: 'sse',
  writeRequest,
  readReply,
  reader,
  readError,
  watch,
}
