import { AwsV4Signer } from 'aws4fetch'
import { type Authenticator, bearer, CredentialFault, jsonCredential } from './auth.ts'

interface AwsKeys {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
  region?: string
}

/** The JSON form of AWS credentials; undefined for a Bedrock API key, which is one opaque word. */
export function awsKeys(credential: string): AwsKeys | undefined {
  const json = jsonCredential(credential)
  if (!json) {
    if (credential.trimStart().startsWith('{'))
      throw new CredentialFault(
        'the key is not valid JSON; expected {"accessKeyId","secretAccessKey","region","sessionToken"?}',
      )
    return undefined
  }
  const { accessKeyId, secretAccessKey, sessionToken, region } = json
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string')
    throw new CredentialFault('the key lacks accessKeyId or secretAccessKey')
  return {
    accessKeyId,
    secretAccessKey,
    ...(typeof sessionToken === 'string' && sessionToken && { sessionToken }),
    ...(typeof region === 'string' && { region }),
  }
}

const regionOf = (url: string) => /\.([a-z]{2}(?:-[a-z]+)+-\d)\./.exec(new URL(url).hostname)?.[1]

/**
 * Bedrock: Signature Version 4 with access keys, or a bearer API key. The library encodes the path a second time, as
 * every service but S3 wants (trap 55).
 */
export const aws: Authenticator = async (outgoing, credential, context) => {
  const keys = awsKeys(credential)
  if (!keys) return bearer(outgoing, credential, context)
  const signer = new AwsV4Signer({
    url: outgoing.url,
    method: outgoing.method,
    headers: outgoing.headers,
    body: outgoing.body,
    accessKeyId: keys.accessKeyId,
    secretAccessKey: keys.secretAccessKey,
    sessionToken: keys.sessionToken,
    service: 'bedrock',
    // A host that names a region takes signatures for that one only, whatever the key says.
    region: regionOf(outgoing.url) ?? outgoing.region ?? keys.region ?? 'us-east-1',
  })
  const { headers } = await signer.sign()
  for (const [name, value] of headers) if (name !== 'host') outgoing.headers[name] = value
}
