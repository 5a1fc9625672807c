import { createHash, createHmac } from 'node:crypto'

/**
 * Signature Version 4 from AWS's description alone, to check the library's signatures with: it shares no code with it.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export interface Signed {
  method: string
  /** The path and query as they stood on the wire. */
  path: string
  /** Lower-case names. */
  headers: Record<string, string>
  body: string
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const sign = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** The `Authorization` header that a request must have, given which headers it says it signed. */
export function authorizationOf(request: Signed, accessKeyId: string, secret: string): string {
  const said = request.headers.authorization ?? ''
  const scope = /Credential=[^/]+\/([^,]+),/.exec(said)?.[1] ?? ''
  const names = /SignedHeaders=([^,]+),/.exec(said)?.[1] ?? ''
  const [day = '', region = '', service = ''] = scope.split('/')
  const [path = '', query = ''] = request.path.split('?')
  const canonical = [
    request.method,
    // Every service but S3 wants the path of the wire encoded once more.
    path.split('/').map(encode).join('/'),
    query.split('&').filter(Boolean).sort().join('&'),
    ...names.split(';').map(name => `${name}:${(request.headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    names,
    hash(request.body),
  ].join('\n')
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, hash(canonical)].join('\n')
  const key = [region, service, 'aws4_request'].reduce<Buffer>(sign, sign(`AWS4${secret}`, day))
  const signature = createHmac('sha256', key).update(text).digest('hex')
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
}
