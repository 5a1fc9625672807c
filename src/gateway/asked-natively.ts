import type { Exchange } from './exchange.ts'
import { jsonOf } from './json-body.ts'
import type { Asked } from './limits/index.ts'
import { addressOf, type NativeCall } from './native.ts'

/**
 * What limits and policies have to know of a request that is otherwise not looked into, its model above all: from the
 * address where it stands there, which is where the provider looks too, else from the body.
 * @throws GatewayFault 400/2008 for an address that is none
 */
export async function askedNatively(exchange: Exchange, call: NativeCall): Promise<Asked> {
  const target = exchange.target!
  const { body: bytes } = call
  const body = jsonOf(bytes)
  const form = bytes?.length && !body ? await formOf(call) : undefined
  const named = addressOf(exchange, target.reach, call).model || target.model || (body?.model ?? form?.get('model'))
  const model = typeof named === 'string' && named ? named : (new URLSearchParams(call.query).get('model') ?? '')
  exchange.target = { ...target, model }
  const isOpaque = Boolean(bytes?.length) && !body && !form
  return { body: () => body, length: bytes?.length ?? 0, ...(isOpaque && { isOpaque }) }
}

/** The fields of a form with files, such as sound to be written down. */
async function formOf({ headers, body }: NativeCall): Promise<Pick<FormData, 'get'> | undefined> {
  const type = new Headers(headers).get('content-type') ?? ''
  if (!type.startsWith('multipart/form-data')) return undefined
  try {
    const answer = new Response(body as Uint8Array<ArrayBuffer>, { headers: { 'content-type': type } })
    return (await answer.formData()) as Pick<FormData, 'get'>
  } catch {
    return undefined
  }
}
