import { afterAll, describe, expect, test } from 'bun:test'
import { Flights, type FlightsOptions } from '../../../src/gateway/cache/coalesce.ts'
import type { Joined, Shared } from '../../../src/gateway/cache/flight.ts'
import { request } from '../../../src/gateway/transport/request.ts'
import type { ByteSink, ByteSource, Bytes } from '../../../src/stream/byte-source.ts'
import { bytesOf } from '../../../src/stream/byte-source.ts'
import { type StandIn, standIn } from '../../support/stand-in.ts'

const bytes = (text: string): Bytes => new TextEncoder().encode(text)
const textOf = (some: Bytes | undefined) => (some ? new TextDecoder().decode(some) : undefined)
const turn = () => Bun.sleep(0)

/** A call whose answer comes when the test says so. */
function call() {
  let sink: ByteSink | undefined
  let cancelled = false
  let full: Promise<unknown> | undefined
  const { promise, resolve, reject } = Promise.withResolvers<Shared<number>>()
  const body: ByteSource = {
    read: () => Promise.reject(new Error('is piped')),
    pipe: into => {
      sink = into
    },
    cancel: () => {
      cancelled = true
    },
  }
  const made = {
    signal: undefined as AbortSignal | undefined,
    times: 0,
    start: (signal: AbortSignal) => {
      made.signal = signal
      made.times++
      return promise
    },
    answer: (status = 200) => {
      resolve({ head: status, body })
      return turn()
    },
    whole: (text: string) => resolve({ head: 200, body: bytes(text) }),
    fail: (reason: string) => reject(new Error(reason)),
    /** @returns whether it has to wait before it brings more */
    bring: (text: string) => {
      full = sink!.write(bytes(text))
      return full !== undefined
    },
    room: () => full!,
    end: (fault?: unknown) => sink!.end(fault),
    cancelled: () => cancelled,
  }
  return made
}

const flights = (options: FlightsOptions = {}) => new Flights<number>(options)
const sourceIn = ({ body }: Joined<number>) => body as ByteSource
const readAll = async (joined: Joined<number>) => textOf(await bytesOf(sourceIn(joined)))
const never = () => Promise.reject(new Error('a call of its own was made'))

describe('identical requests in flight', () => {
  test('share one call, and each has all of it', async () => {
    const shared = flights()
    const one = call()
    const joining = Array.from({ length: 50 }, () => shared.join('k', one.start))
    await one.answer(201)
    const members = await Promise.all(joining)
    const reading = members.map(readAll)
    one.bring('he')
    one.bring('ron')
    one.end()
    expect(await Promise.all(reading)).toEqual(Array.from({ length: 50 }, () => 'heron'))
    expect(one.times).toBe(1)
    expect(members.map(({ head }) => head)).toEqual(Array.from({ length: 50 }, () => 201))
    expect(members.filter(({ first }) => first)).toHaveLength(1)
    expect(members[0]!.first).toBe(true)
    expect(one.signal!.aborted).toBe(false)
    expect(shared.size).toBe(0)
  })

  test('that differ make calls of their own', async () => {
    const shared = flights()
    const [one, two] = [call(), call()]
    const joining = [shared.join('a', one.start), shared.join('b', two.start)]
    one.whole('heron')
    two.whole('egret')
    const bodies = (await Promise.all(joining)).map(({ body }) => textOf(body as Bytes))
    expect(bodies).toEqual(['heron', 'egret'])
  })

  test('share an answer in one piece, after which the next makes a new call', async () => {
    const shared = flights()
    const one = call()
    const joining = [shared.join('k', one.start), shared.join('k', never)]
    one.whole('heron')
    const [first, second] = await Promise.all(joining)
    expect(first!.body).toBe(second!.body)
    const two = call()
    const later = shared.join('k', two.start)
    two.whole('egret')
    expect(textOf((await later).body as Bytes)).toBe('egret')
  })
})

describe('who comes late', () => {
  test('has the stream from its beginning', async () => {
    const shared = flights()
    const one = call()
    const first = shared.join('k', one.start)
    await one.answer()
    const reading = readAll(await first)
    one.bring('he')
    const late = await shared.join('k', never)
    expect(late.first).toBe(false)
    expect(textOf(await sourceIn(late).read())).toBe('he')
    one.bring('ron')
    const rest = readAll(late)
    one.end()
    expect([await reading, await rest]).toEqual(['heron', 'ron'])
  })

  test('makes a call of their own beyond what is kept, which others may join', async () => {
    const shared = flights({ replay: 4 })
    const one = call()
    const first = shared.join('k', one.start)
    await one.answer()
    const reading = readAll(await first)
    one.bring('hero')
    expect(shared.size).toBe(1)
    one.bring('n')
    const two = call()
    const late = shared.join('k', two.start)
    const later = shared.join('k', never)
    two.whole('egret')
    expect(textOf((await late).body as Bytes)).toBe('egret')
    expect(textOf((await later).body as Bytes)).toBe('egret')
    one.end()
    expect(await reading).toBe('heron')
  })

  test('all flights together keep no more than their bound', async () => {
    const shared = flights({ replayTotal: 6 })
    const [one, two] = [call(), call()]
    const joining = [shared.join('a', one.start), shared.join('b', two.start)]
    await Promise.all([one.answer(), two.answer()])
    await Promise.all(joining)
    one.bring('hero')
    expect(shared.size).toBe(2)
    two.bring('egr')
    expect(shared.size).toBe(1)
    // What was let go is room again.
    const three = call()
    const third = shared.join('c', three.start)
    await three.answer()
    await third
    three.bring('te')
    expect(shared.size).toBe(2)
  })

  test('beyond the number of flights everybody is alone', async () => {
    const shared = flights({ flights: 1 })
    const calls = [call(), call(), call()]
    const joining = [
      shared.join('a', calls[0]!.start),
      shared.join('b', calls[1]!.start),
      shared.join('b', calls[2]!.start),
    ]
    for (const one of calls) one.whole('heron')
    await Promise.all(joining)
    expect(calls.map(({ times }) => times)).toEqual([1, 1, 1])
  })
})

describe('who leaves', () => {
  test('disturbs nobody, even if the call was theirs; the last one ends it', async () => {
    const shared = flights()
    const one = call()
    const leaving = new AbortController()
    const first = shared.join('k', one.start, leaving.signal)
    const [second, third] = [shared.join('k', never), shared.join('k', never)]
    leaving.abort()
    await expect(first).rejects.toThrow('aborted')
    await one.answer()
    const reading = readAll(await second)
    one.bring('heron')
    sourceIn(await third).cancel()
    expect([one.signal!.aborted, one.cancelled()]).toEqual([false, false])
    one.end()
    expect(await reading).toBe('heron')
  })

  test('as the last one while nothing has come ends the call, and the next begins anew', async () => {
    const shared = flights()
    const one = call()
    const leaving = new AbortController()
    const members = [1, 2].map(() => shared.join('k', one.start, leaving.signal))
    expect(one.signal!.aborted).toBe(false)
    leaving.abort()
    for (const member of await Promise.allSettled(members)) expect(member.status).toBe('rejected')
    expect(one.signal!.aborted).toBe(true)
    expect(shared.size).toBe(0)
    // An answer that comes all the same is not kept waiting for a reader.
    await one.answer()
    expect(one.cancelled()).toBe(true)
    const two = call()
    const next = shared.join('k', two.start)
    two.whole('egret')
    expect((await next).first).toBe(true)
  })

  test('before they have come makes no call', async () => {
    const shared = flights()
    const one = call()
    await expect(shared.join('k', one.start, AbortSignal.abort())).rejects.toThrow('aborted')
    await turn()
    expect([one.times, shared.size]).toEqual([0, 0])
  })

  test('in the middle of a stream by their signal is told so, not that it ended', async () => {
    const shared = flights()
    const one = call()
    const leaving = new AbortController()
    const joining = [shared.join('k', one.start, leaving.signal), shared.join('k', never, leaving.signal)]
    await one.answer()
    const [first, second] = await Promise.all(joining)
    const piped = bytesOf(sourceIn(first!))
    const read = sourceIn(second!).read()
    leaving.abort()
    await expect(piped).rejects.toThrow('aborted')
    await expect(read).rejects.toThrow('aborted')
    await turn()
    expect([one.signal!.aborted, one.cancelled()]).toEqual([true, true])
  })
})

describe('a call that fails', () => {
  test('is the failure of the one who made it; the others share another', async () => {
    const shared = flights()
    const [one, two] = [call(), call()]
    const first = shared.join('k', one.start)
    const others = [shared.join('k', two.start), shared.join('k', never), shared.join('k', never)]
    one.fail('no route')
    await expect(first).rejects.toThrow('no route')
    await turn()
    expect(two.times).toBe(1)
    two.whole('heron')
    const joined = await Promise.all(others)
    expect(joined.map(({ first }) => first)).toEqual([true, false, false])
    expect(shared.size).toBe(0)
  })

  test('again is the failure of all', async () => {
    const shared = flights()
    const [one, two] = [call(), call()]
    const joining = [shared.join('k', one.start), shared.join('k', two.start), shared.join('k', never)]
    one.fail('no route')
    two.fail('still none')
    const told = await Promise.allSettled(joining)
    expect(told.map(one => (one.status === 'rejected' ? one.reason.message : ''))).toEqual([
      'no route',
      'still none',
      'still none',
    ])
  })

  test('is everybody’s at once where no further call is wanted, and one that throws fails too', async () => {
    const shared = flights({ furtherCalls: 0 })
    const start = (): never => {
      throw new Error('no key')
    }
    const told = await Promise.allSettled([shared.join('k', start), shared.join('k', never)])
    expect(told.map(one => (one.status === 'rejected' ? one.reason.message : ''))).toEqual(['no key', 'no key'])
  })

  test('in the middle breaks off for all, behind what has come', async () => {
    const shared = flights()
    const one = call()
    const joining = [shared.join('k', one.start), shared.join('k', never)]
    await one.answer()
    const [first, second] = await Promise.all(joining)
    one.bring('her')
    one.end(new Error('connection lost'))
    await expect(readAll(first!)).rejects.toThrow('connection lost')
    expect(textOf(await sourceIn(second!).read())).toBe('her')
    await expect(sourceIn(second!).read()).rejects.toThrow('connection lost')
    expect(shared.size).toBe(0)
  })
})

describe('the pace', () => {
  const chunk = 'x'.repeat(40_000)
  /** Takes one piece and then has no room until told. */
  const stuck = () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    let taken = 0
    let ended: { fault: unknown } | undefined
    const sink: ByteSink = {
      write: some => {
        taken += some.length
        return promise
      },
      end: fault => {
        ended = { fault }
      },
    }
    return { sink, resolve, taken: () => taken, ended: () => ended }
  }

  test('is that of the only member, for as long as it takes', async () => {
    const shared = flights({ hold: 1, lag: 10 })
    const one = call()
    const first = shared.join('k', one.start)
    await one.answer()
    const slow = stuck()
    sourceIn(await first).pipe(slow.sink)
    expect([one.bring(chunk), one.bring(chunk), one.bring(chunk)]).toEqual([false, false, true])
    await Bun.sleep(20)
    expect(slow.ended()).toBeUndefined()
    slow.resolve()
    await one.room()
    one.end()
    expect(slow.taken()).toBe(3 * chunk.length)
    await turn()
    expect(slow.ended()).toEqual({ fault: undefined })
  })

  test('is that of the fastest; one far behind is waited for and then cut off', async () => {
    const shared = flights({ lag: 2.5 * chunk.length, hold: 20 })
    const one = call()
    const joining = [shared.join('k', one.start), shared.join('k', never), shared.join('k', never)]
    await one.answer()
    const [fast, slow, idle] = await Promise.all(joining)
    const reading = readAll(fast!)
    const sink = stuck()
    sourceIn(slow!).pipe(sink.sink)
    expect([one.bring(chunk), one.bring(chunk)]).toEqual([false, false])
    // The idle one has taken nothing, the stuck one a piece.
    expect(one.bring(chunk)).toBe(true)
    expect(sink.ended()).toBeUndefined()
    await one.room()
    await expect(sourceIn(idle!).read()).rejects.toThrow('too far behind')
    expect(sink.ended()).toBeUndefined()
    expect(one.bring(chunk)).toBe(true)
    await one.room()
    expect(String(sink.ended()?.fault)).toContain('too far behind')
    one.end()
    expect((await reading)!.length).toBe(4 * chunk.length)
    expect(one.signal!.aborted).toBe(false)
  })

  test('one who catches up in time stays', async () => {
    const shared = flights({ lag: 1.5 * chunk.length, hold: 60_000 })
    const one = call()
    const joining = [shared.join('k', one.start), shared.join('k', never)]
    await one.answer()
    const [fast, slow] = await Promise.all(joining)
    const reading = readAll(fast!)
    expect([one.bring(chunk), one.bring(chunk)]).toEqual([false, true])
    await sourceIn(slow!).read()
    await one.room()
    const rest = readAll(slow!)
    one.end()
    expect((await reading)!.length).toBe(2 * chunk.length)
    expect((await rest)!.length).toBe(chunk.length)
  })
})

describe('over real sockets', () => {
  let provider: StandIn | undefined
  afterAll(() => provider?.stop())

  test('leavers leave the call alone, and the last one hangs up', async () => {
    const gate = Promise.withResolvers<void>()
    const asked = standIn(
      () =>
        new Response(
          (async function* () {
            yield bytes('one ')
            await gate.promise
            yield bytes('two')
            await new Promise(() => {})
          })(),
        ),
    )
    provider = asked
    const shared = flights()
    const start = async (signal: AbortSignal) => {
      const came = await request({ url: asked.address, method: 'POST', headers: {}, body: '{}' }, signal)
      return { head: came.status, body: came.body! }
    }
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => shared.join('k', start)))
    expect(textOf(await sourceIn(a!).read())).toBe('one ')
    sourceIn(a!).cancel()
    gate.resolve()
    const taken = async (source: ByteSource) => {
      let text = ''
      while (!text.endsWith('two')) text += textOf(await source.read())
      return text
    }
    expect(await taken(sourceIn(b!))).toBe('one two')
    sourceIn(b!).cancel()
    expect(await taken(sourceIn(c!))).toBe('one two')
    expect([asked.seen.length, asked.last().signal.aborted]).toEqual([1, false])
    sourceIn(c!).cancel()
    await new Promise(resolve => asked.last().signal.addEventListener('abort', resolve))
    expect(shared.size).toBe(0)
  })
})
