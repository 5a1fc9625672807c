import { afterAll, expect, setDefaultTimeout, test } from 'bun:test'
import { ask, COMPAT } from '../support/chat.ts'
import { standIn } from '../support/stand-in.ts'
import { readLines, sumOf } from '../telemetry/metrics/lines.ts'
import { endAll, eventually, folder, start } from './executable.ts'

setDefaultTimeout(30_000)
afterAll(endAll)

const TOKEN = 'a-token-for-scraping'
/** Each on a connection of its own, so that the system chooses the worker anew. */
const headers = { authorization: `Bearer ${TOKEN}`, connection: 'close' }

test('a scrape through the port that workers share sees all of them, also after one has died', async () => {
  const provider = standIn(() =>
    Response.json({
      id: 'c1',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 8, completion_tokens: 4, total_tokens: 12 },
    }),
  )
  const file = {
    server: { workers: 2 },
    tokens: [{ name: 'tests', token: TOKEN, permissions: ['run', 'read'] }],
    providers: { openai: { base_url: provider.address, keys: { default: 'k' } } },
  }
  const here = folder({ 'postern.yaml': JSON.stringify(file) })
  const server = await start([], here.path)
  await server.until(/"worker":1/)
  const scrape = async () => {
    const answer = await fetch(`${server.address}/metrics`, { headers, keepalive: false })
    expect(answer.status).toBe(200)
    return readLines(await answer.text())
  }
  const chat = async () => {
    const body = JSON.stringify(ask('openai/m'))
    const answer = await fetch(server.address + COMPAT, { method: 'POST', headers, body, keepalive: false })
    expect(answer.status).toBe(200)
    await answer.text()
  }
  for (let count = 0; count < 30; count++) await chat()
  const counted = async () => sumOf(await scrape(), 'postern_requests_total', { model: 'm', status: '2xx' })
  expect(await eventually(async () => (await counted()) === 30)).toBe(true)
  for (let count = 0; count < 6; count++) {
    const lines = await scrape()
    expect(sumOf(lines, 'postern_requests_total')).toBe(30)
    expect(sumOf(lines, 'postern_tokens_total', { type: 'input' })).toBe(240)
    expect(sumOf(lines, 'postern_workers')).toBe(2)
    expect(sumOf(lines, 'postern_scraped_workers')).toBe(2)
    const started = lines.filter(({ name }) => name === 'process_start_time_seconds')
    expect(started.map(({ labels }) => labels.worker).toSorted()).toEqual(['0', '1'])
  }

  process.kill(server.workers()[1]!, 'SIGKILL')
  await server.until(/starting it again/)
  expect(
    await eventually(async () => {
      const lines = await scrape()
      return sumOf(lines, 'postern_workers') === 2 && sumOf(lines, 'postern_scraped_workers') === 2
    }),
  ).toBe(true)
  provider.stop()
  here.remove()
})
