import { TOKEN } from './app.ts'

export interface ChatOptions {
  /** Undefined for the token of every test, null for none. */
  token?: string | null
  headers?: Record<string, string>
  path?: string
  signal?: AbortSignal
}

export const COMPAT = '/v1/home/default/compat/chat/completions'

/** A question that names only the model; anything else of the body may be added. */
export const ask = (model: string, more: Record<string, unknown> = {}) => ({
  model,
  messages: [{ role: 'user', content: 'Where does the heron stand?' }],
  ...more,
})

const isRaw = (body: unknown) =>
  typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream

/** Posts a body to the unified endpoint; text goes as it is. */
export function post(address: string, body: unknown, options: ChatOptions = {}): Promise<Response> {
  const { token = TOKEN, headers, path = COMPAT, signal } = options
  return fetch(address + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== null && { 'cf-aig-authorization': `Bearer ${token}` }),
      ...headers,
    },
    body: isRaw(body) ? (body as string) : JSON.stringify(body),
    signal,
  })
}

/** The members of an answer or an error that tests look at. */
export interface Answer {
  id?: string
  model?: string
  choices?: { message: { role: string; content: string | null }; finish_reason: string }[]
  usage?: Record<string, unknown>
  error?: { message: string; type: string; param: string | null; code: string | null } & Record<string, unknown>
}

export async function answerOf(response: Response): Promise<Answer> {
  return (await response.json()) as Answer
}

export interface Chunk {
  choices?: { index: number; delta: { role?: string; content?: string | null }; finish_reason: string | null }[]
  usage?: Record<string, unknown> | null
  error?: { message: string; type: string; code: string | null }
}

export interface Streamed {
  text: string
  finish: string | null
  chunks: Chunk[]
  done: boolean
  error?: Chunk['error']
  usage?: Record<string, unknown> | null
}

/** Reads a stream of an OpenAI client to its end. */
export async function streamOf(response: Response): Promise<Streamed> {
  return parseStream(await response.text())
}

export function parseStream(text: string): Streamed {
  const data = text
    .split(/\n\n/)
    .flatMap(block => block.split('\n').filter(line => line.startsWith('data:')))
    .map(line => line.slice(5).trim())
  const chunks = data
    .filter(line => line !== '[DONE]')
    .flatMap(line => {
      try {
        return [JSON.parse(line) as Chunk]
      } catch {
        return []
      }
    })
  return {
    text: chunks.map(chunk => chunk.choices?.[0]?.delta.content ?? '').join(''),
    finish: chunks.flatMap(chunk => chunk.choices?.[0]?.finish_reason ?? []).at(-1) ?? null,
    chunks,
    done: data.at(-1) === '[DONE]',
    error: chunks.find(chunk => chunk.error)?.error,
    usage: chunks.findLast(chunk => chunk.usage)?.usage,
  }
}
