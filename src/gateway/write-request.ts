import type { Conversation } from '../conversation/conversation.ts'
import { Unsupported } from '../conversation/errors.ts'
import { dialects } from '../dialects/index.ts'
import { endpointOf } from '../providers/provider.ts'
import type { ChatExchange, Written } from './exchange.ts'
import { GatewayFault } from './fault.ts'
import { editJson } from './json-edit.ts'
import { placeOf } from './place.ts'

/**
 * Writes the request in the target's dialect. Where it is the client's own, the client's text goes on as it is, apart
 * from the model and from what a named quirk of the provider corrects; otherwise it is read into the neutral form.
 * @throws GatewayFault 400 naming the field that the target cannot express
 */
export function writeRequest(exchange: ChatExchange): void {
  const { reach, model } = exchange.target!
  const place = placeOf(reach, model, exchange.stream, exchange.credential)
  const endpoint = endpointOf(reach.provider, place)
  if (!endpoint) {
    const message = `model: ${reach.provider.title} has no chat; its own addresses are below …/${reach.provider.slug}/`
    throw new GatewayFault({ status: 400, number: 2008, code: 'invalid_provider', param: 'model', message })
  }
  const dialect = dialects[endpoint.dialect]
  const same = endpoint.dialect === exchange.client.name
  const rewritten = same ? sameDialect(exchange) : translated(exchange, dialect, endpoint, model)
  const { body, dropped, memory, headers } = rewritten
  const corrected = same ? rewritten.corrected === true : true
  const unchanged = same && reach.provider.faithful
  exchange.written = { endpoint, place, dialect, body, dropped, memory, headers, unchanged, rewritten: corrected }
}

const NOTHING: string[] = []

type Rewritten = Pick<Written, 'body' | 'dropped' | 'memory' | 'headers'> & { corrected?: true }

function sameDialect(exchange: ChatExchange): Rewritten {
  const { reach, model } = exchange.target!
  let dropped = NOTHING
  let { body } = exchange
  for (const quirk of reach.provider.quirks) {
    const corrected = quirk.request?.(body, model)
    if (!corrected) continue
    body = corrected.body
    if (corrected.dropped.length) dropped = [...dropped, ...corrected.dropped]
  }
  if (body !== exchange.body) return { body: JSON.stringify({ ...body, model }), dropped, memory: {}, corrected: true }
  return { body: editJson(exchange.text, { model }) ?? JSON.stringify({ ...body, model }), dropped, memory: {} }
}

function translated(
  exchange: ChatExchange,
  dialect: Written['dialect'],
  endpoint: Written['endpoint'],
  model: string,
): Rewritten {
  try {
    const conversation = exchange.client.readRequest(exchange.body)
    const { body, ...rest } = dialect.writeRequest(withBetas(conversation, exchange.headers), { model })
    return { body: JSON.stringify(endpoint.finish ? endpoint.finish(body) : body), ...rest }
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

/** Betas that the client asked for in a header count like those in the body: a dialect knows where they go (T102). */
function withBetas(conversation: Conversation, headers: Headers): Conversation {
  const asked = headers.get('anthropic-beta')
  if (!asked) return conversation
  const own = conversation.unknown.anthropic_beta
  const all = new Set([...(Array.isArray(own) ? own : []), ...asked.split(',').map(beta => beta.trim())])
  return { ...conversation, unknown: { ...conversation.unknown, anthropic_beta: [...all] } }
}
