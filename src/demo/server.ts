import { answerDemo, type DemoAnswer, demoModels } from './answer.ts'
import { chunks, completion } from './chunks.ts'
import { readDemoRequest } from './request.ts'

export interface DemoServer {
  port: number
  stop(): void
}

/**
 * A provider inside the executable, behind a real socket that only this machine reaches: the gateway treats it like any
 * other. It speaks OpenAI's format, answers the same to the same question, and needs no key.
 */
export function serveDemo(): DemoServer {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    routes: {
      '/v1/models': { GET: () => listModels() },
      '/v1/chat/completions': { POST: complete },
    },
    fetch: () => failure(404, 'invalid_request_error', 'not_found', 'The demo provider has no such address.'),
    error: () => failure(500, 'server_error', null, 'The demo provider failed.'),
  })
  return { port: server.port ?? 0, stop: () => void server.stop(true) }
}

const failure = (
  status: number,
  type: string,
  code: string | null,
  message: string,
  headers?: Record<string, string>,
) => Response.json({ error: { message, type, param: null, code } }, { status, headers })

const listModels = () =>
  Response.json({
    object: 'list',
    data: demoModels.map(id => ({ id, object: 'model', created: 1_735_689_600, owned_by: 'demo' })),
  })

async function complete(request: Request): Promise<Response> {
  const body: unknown = await request.json().catch(() => undefined)
  if (typeof body !== 'object' || body === null) {
    return failure(400, 'invalid_request_error', null, 'The body is not a JSON object.')
  }
  const asked = readDemoRequest(body)
  if (asked.model === 'fail-429') {
    const message = 'The demo provider is asked too often, as this model always is.'
    return failure(429, 'requests', 'rate_limit_exceeded', message, { 'retry-after': '1' })
  }
  if (asked.model === 'fail-500') return failure(500, 'server_error', null, 'This model always fails.')
  if (!demoModels.includes(asked.model as (typeof demoModels)[number])) {
    return failure(
      404,
      'invalid_request_error',
      'model_not_found',
      `There is no such demo model; there are ${demoModels.join(', ')}.`,
    )
  }
  const answer = answerDemo(asked)
  const created = Math.floor(Date.now() / 1_000)
  if (asked.stream) return stream(answer, created, asked.includeUsage)
  if (answer.breaksAfter) return failure(500, 'server_error', null, 'This model fails in the middle of its answer.')
  await Bun.sleep(answer.pace)
  return Response.json(completion(answer, created))
}

function stream(answer: DemoAnswer, created: number, includeUsage: boolean): Response {
  const parts = chunks(answer, created, includeUsage)
  const encoder = new TextEncoder()
  let sent = 0
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const send = (text: string) => controller.enqueue(encoder.encode(`data: ${text}\n\n`))
      if (sent > 0) await Bun.sleep(answer.pace)
      if (sent === answer.breaksAfter) {
        send(
          JSON.stringify({ error: { message: 'The model broke off.', type: 'server_error', param: null, code: null } }),
        )
        return controller.close()
      }
      const next = parts.next()
      if (next.done) {
        send('[DONE]')
        return controller.close()
      }
      sent++
      send(JSON.stringify(next.value))
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' } })
}
