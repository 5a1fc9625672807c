import { describe, expect, test } from 'bun:test'
import { constants, generateKeyPairSync, privateDecrypt } from 'node:crypto'
import { lineOf } from '../../../src/telemetry/logpush/line.ts'
import { readPublicKey, type Sealed, sealFor } from '../../../src/telemetry/logpush/seal.ts'
import { attempt } from '../attempt.ts'
import { keyPair } from './keys.ts'

const parse = (line: string) => JSON.parse(line) as Record<string, unknown>

/** As a receiver does it, with WebCrypto. */
async function unsealed({ key, iv, data }: Sealed, privateKey: string): Promise<string> {
  const secret = privateDecrypt(
    { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
    Buffer.from(key, 'base64'),
  )
  expect(secret).toHaveLength(32)
  const imported = await crypto.subtle.importKey('raw', new Uint8Array(secret), 'AES-GCM', false, ['decrypt'])
  const algorithm = { name: 'AES-GCM', iv: new Uint8Array(Buffer.from(iv, 'base64')) }
  return Buffer.from(await crypto.subtle.decrypt(algorithm, imported, Buffer.from(data, 'base64'))).toString()
}

describe('a line of logpush', () => {
  test('has Cloudflare’s fields, and bodies as the JSON that they are', () => {
    const record = attempt({
      metadata: { team: 'search' },
      status: 429,
      error: { code: 'rate_limited', number: 2003 },
      usage: { input: 3, output: 4, source: 'reported' },
      cost: { pico: 1_500_000, parts: [], source: 'bundled' } as never,
    })
    const line = lineOf(record, { request: '{"model": "m",\n "n": 1}', answer: 'data: x\n\n' }, 'plain')
    expect(line).toEndWith('}\n')
    expect(line.trimEnd()).not.toContain('\n')
    expect(parse(line)).toMatchObject({
      Gateway: 'default',
      Provider: 'openai',
      Model: 'gpt-5.2',
      Endpoint: '/v1/home/default/compat/chat/completions',
      StatusCode: 429,
      Cached: false,
      RateLimited: true,
      Timestamp: new Date(record.at).toISOString(),
      Metadata: { team: 'search' },
      RequestBody: { model: 'm', n: 1 },
      ResponseBody: 'data: x\n\n',
      LogID: record.id,
      TokensIn: 3,
      TokensOut: 4,
      Cost: 0.0000015,
      Error: 'rate_limited',
    })
    // A limit of the provider's is none of ours.
    expect(parse(lineOf(attempt({ status: 429 }), {}, 'plain'))).toMatchObject({
      RateLimited: false,
      RequestBody: null,
    })
  })

  test('hides metadata and bodies from all but the holder of the private key', async () => {
    const { publicKey, privateKey } = keyPair()
    const key = readPublicKey(publicKey)
    const record = attempt({ metadata: { user: 'Ada' } })
    const said = { request: '{"prompt":"a secret ☃"}', answer: '{"answer":"another"}' }
    const line = lineOf(record, said, sealFor(key))
    expect(line).not.toContain('secret')
    expect(line).not.toContain('Ada')
    const { Metadata, RequestBody, ResponseBody, Gateway } = parse(line) as Record<string, Sealed>
    expect(Gateway as unknown).toBe('default')
    expect(Object.keys(RequestBody!)).toEqual(['key', 'iv', 'data'])
    expect(await unsealed(Metadata!, privateKey)).toBe('{"user":"Ada"}')
    expect(await unsealed(RequestBody!, privateKey)).toBe(said.request)
    expect(await unsealed(ResponseBody!, privateKey)).toBe(said.answer)
    // One key a log, and never the same vector twice.
    expect(RequestBody!.key).toBe(ResponseBody!.key)
    expect(new Set([Metadata!.iv, RequestBody!.iv, ResponseBody!.iv]).size).toBe(3)
    const again = parse(lineOf(record, said, sealFor(key))) as Record<string, Sealed>
    expect(again.RequestBody!.key).not.toBe(RequestBody!.key)
    expect(again.RequestBody!.data).not.toBe(RequestBody!.data)
  })

  test('has no sealed field that can be changed unnoticed', async () => {
    const { publicKey, privateKey } = keyPair(2_048)
    const sealed = sealFor(readPublicKey(publicKey))('text')
    const data = Buffer.from(sealed.data, 'base64')
    data[0]! ^= 1
    expect(unsealed({ ...sealed, data: data.toString('base64') }, privateKey)).rejects.toThrow()
  })

  test('is at most 1 MB long, with bodies cut between characters and named', async () => {
    const { publicKey, privateKey } = keyPair(2_048)
    const request = `"${'☃'.repeat(700_000)}"`
    for (const cover of ['plain', sealFor(readPublicKey(publicKey))] as const) {
      const line = lineOf(attempt({ metadata: { a: 'b' } }), { request, answer: '\u0001'.repeat(400_000) }, cover)
      expect(Buffer.byteLength(line)).toBeLessThanOrEqual(1_048_576)
      const { RequestBody, Truncated } = parse(line)
      expect(Truncated).toEqual(['RequestBody', 'ResponseBody'])
      const kept = cover === 'plain' ? String(RequestBody) : await unsealed(RequestBody as Sealed, privateKey)
      expect(kept.length).toBeGreaterThan(10_000)
      expect(request.startsWith(kept)).toBe(true)
    }
  })

  test('takes only keys that can keep a secret', () => {
    expect(() => readPublicKey('-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----')).toThrow()
    expect(() => readPublicKey(keyPair(1_024).publicKey)).toThrow('2048')
    const { publicKey } = generateKeyPairSync('ed25519')
    expect(() => readPublicKey(publicKey.export({ type: 'spki', format: 'pem' }) as string)).toThrow('RSA')
  })
})
