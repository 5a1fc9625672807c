import { type Static, Type } from '@sinclair/typebox'
import { choice } from '../../schemas/gateway.ts'

const optional = Type.Optional
const text = (description: string, ...examples: string[]) =>
  optional(Type.String({ minLength: 1, description, ...(examples.length ? { examples } : {}) }))

/** One receiver of records: what stands under `logpush` in postern.yaml (contract 8.5). */
export const LogpushTarget = Type.Object(
  {
    url: Type.String({
      pattern: '^(file:.|s3://[^/\\s]|https?://[^/\\s])',
      expected: 'file:<path>, s3://<bucket>/<prefix> or an address that begins with http:// or https://',
      description:
        'Where records go, as lines of JSON: `file:<path>`, which is appended to and rotated; `s3://<bucket>/<prefix>`, an object for each batch; or an address that batches are posted to.',
      examples: ['file:./logs/ai.ndjson', 's3://logs/ai-gateway', 'https://logs.example.com/ingest'],
    }),
    gateway: text('The one gateway whose records it takes; all with `logpush: true` when left out.', 'default'),
    headers: optional(Type.Record(Type.String(), Type.String(), { description: 'Headers of a post.' })),
    region: text('S3: the region.', 'eu-central-1'),
    endpoint: text('S3: the address of a server other than AWS.', 'http://127.0.0.1:9000'),
    access_key_id: text('S3: the key; AWS_ACCESS_KEY_ID where it is left out.'),
    secret_access_key: text('S3: its secret; AWS_SECRET_ACCESS_KEY where it is left out.'),
    compression: optional(
      choice(['none', 'gzip'], { default: 'none', description: 'Of objects and posts; files stay plain.' }),
    ),
    every: optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 3_600,
        default: 30,
        description: 'Seconds after which a batch goes, however small it is.',
      }),
    ),
    batch_bytes: optional(
      Type.Integer({
        minimum: 1,
        maximum: 104_857_600,
        default: 5_242_880,
        description: 'Bytes after which a batch goes at once.',
      }),
    ),
    spool_bytes: optional(
      Type.Integer({
        minimum: 1_048_576,
        default: 1_073_741_824,
        description:
          'Bytes that are kept on disk while the receiver is down; beyond, the oldest batches are let go and counted.',
      }),
    ),
    rotate_bytes: optional(
      Type.Integer({
        minimum: 1,
        default: 104_857_600,
        description: 'File: it is set aside under a name with the time when it is larger.',
      }),
    ),
    rotate_every: optional(
      Type.Number({
        exclusiveMinimum: 0,
        default: 86_400,
        description: 'File: the same when it was begun so many seconds ago.',
      }),
    ),
  },
  { additionalProperties: false, description: 'A receiver of records, for gateways with `logpush: true`.' },
)
export type LogpushTarget = Static<typeof LogpushTarget>

export const LogpushTargets = Type.Array(LogpushTarget, { maxItems: 16, description: 'Receivers of records.' })
