import type { UpstreamDialect } from '../dialect.ts'
import { readError } from './errors.ts'
import { writeRequest } from './request.ts'
import { readReply } from './response.ts'
import { reader } from './stream.ts'
import { watch } from './watch.ts'

/** Amazon Bedrock's Converse and ConverseStream. */
export const bedrockConverse: UpstreamDialect = {
  name: 'bedrock-converse',
  framing: 'aws-event-stream',
  writeRequest,
  readReply,
  reader,
  readError,
  watch,
}
