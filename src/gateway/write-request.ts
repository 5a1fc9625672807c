import { Unsupported } from '../conversation/errors.ts'
import { dialects } from '../dialects/index.ts'
import type { Exchange, Written } from './exchange.ts'
import { GatewayFault } from './fault.ts'
import { editJson } from './json-edit.ts'
import { placeOf } from './place.ts'

/**
 * Writes the request in the target's dialect. Where it is the client's own, the client's text goes on as it is, apart
 * from the model and from what a named quirk of the provider corrects; otherwise it is read into the neutral form.
 * @throws GatewayFault 400 naming the field that the target cannot express
 */
export function writeRequest(exchange: Exchange): void {
  const { reach, model } = exchange.target!
  const place = placeOf(reach, model, exchange.stream, exchange.credential)
  const endpoint = reach.provider.endpoint(place)
  const dialect = dialects[endpoint.dialect]
  const common = { endpoint, dialect, unchanged: false }
  exchange.written =
    endpoint.dialect === exchange.client.name
      ? { ...common, ...sameDialect(exchange), unchanged: reach.provider.faithful }
      : { ...common, ...translated(exchange, dialect, endpoint, model) }
}

function sameDialect(exchange: Exchange): Pick<Written, 'body' | 'dropped' | 'memory'> {
  const { reach, model } = exchange.target!
  let dropped: string[] | undefined
  // Quirks correct a copy: another attempt at another provider begins with what the client said (T84).
  let body = exchange.body
  for (const quirk of reach.provider.quirks) {
    if (!quirk.request) continue
    if (body === exchange.body) body = structuredClone(body)
    const lost = quirk.request(body, model)
    if (lost) dropped = [...(dropped ?? []), ...lost]
  }
  const edited = dropped ? undefined : editJson(exchange.text, { model })
  return { body: edited ?? JSON.stringify({ ...body, model }), dropped: dropped ?? [], memory: {} }
}

function translated(
  exchange: Exchange,
  dialect: Written['dialect'],
  endpoint: Written['endpoint'],
  model: string,
): Pick<Written, 'body' | 'dropped' | 'memory'> {
  try {
    const { body, dropped, memory } = dialect.writeRequest(exchange.client.readRequest(exchange.body), { model })
    return { body: JSON.stringify(endpoint.finish ? endpoint.finish(body) : body), dropped, memory }
  } catch (fault) {
    if (!(fault instanceof Unsupported)) throw fault
    const { title } = exchange.target!.reach.provider
    throw new GatewayFault({
      status: 400,
      code: 'unsupported_value',
      param: fault.field,
      message: `${fault.field}: ${fault.message} (${title})`,
    })
  }
}
