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

type SignerBody = ConstructorParameters<typeof AwsV4Signer>[0]['body']

/** What a client's own, now replaced signature left behind: it would be signed and be wrong. */
const OF_ANOTHER_SIGNATURE = ['x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256']

/**
 * Signature Version 4 with access keys, or an API key. The library encodes the path a second time, as every service but
 * S3 wants (trap 55).
 * @param service the name that AWS checks the signature for
 * @param apiKey how an API key travels
 */
export function awsFor(service: string, apiKey: Authenticator = bearer): Authenticator {
  return async (outgoing, credential, context) => {
    const keys = awsKeys(credential)
    if (!keys) return apiKey(outgoing, credential, context)
    for (const name of OF_ANOTHER_SIGNATURE) delete outgoing.headers[name]
    const signer = new AwsV4Signer({
      url: outgoing.url,
      method: outgoing.method,
      headers: outgoing.headers,
      body: outgoing.body as SignerBody,
      accessKeyId: keys.accessKeyId,
      secretAccessKey: keys.secretAccessKey,
      sessionToken: keys.sessionToken,
      service,
      // A host that names a region takes signatures for that one only, whatever the key says.
      region: regionOf(outgoing.url) ?? outgoing.region ?? keys.region ?? 'us-east-1',
    })
    const { headers } = await signer.sign()
    for (const [name, value] of headers) if (name !== 'host') outgoing.headers[name] = value
  }
}

/** Bedrock's runtime. */
export const aws = awsFor('bedrock')
