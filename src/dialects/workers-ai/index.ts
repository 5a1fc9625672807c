import type { UpstreamDialect } from '../dialect.ts'
import { readError } from './errors.ts'
import { writeRequest } from './request.ts'
import { readReply } from './response.ts'
import { reader } from './stream.ts'
import { watch } from './watch.ts'

/** Cloudflare Workers AI by its own `ai/run`. */
export const workersAi: UpstreamDialect = {
  name: 'workers-ai',
  framing: 'sse',
  writeRequest,
  readReply,
  reader,
  readError,
  watch,
}
