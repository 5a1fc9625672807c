import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { endWithBench, runPart, taskOfPart } from './child.ts'
import { type Call, requestBytes, SERIAL, serial, watchAnswers } from './wire.ts'

/** Requests that want a whole answer, as many as go through. */

interface Task {
  call: Call
  connections: number
  seconds: number
}

interface Outcome {
  requests: number
  /** Why the first one failed, if one did. */
  failure: string | null
}

export interface Load {
  requests: number
  perSecond: number
}

/** The generator that is used: `wrk` where it is installed, for it costs the least, else one of our own. */
export const generator = Bun.which('wrk') ? 'wrk' : 'Bun'

/** Sends the call over so many connections for so long. Throws when any answer is not a 200. */
export async function load(call: Call, connections: number, seconds: number, folder: string): Promise<Load> {
  const { requests, failure } =
    generator === 'wrk'
      ? await wrk({ call, connections, seconds }, folder)
      : await runPart<Outcome>('load.ts', { call, connections, seconds })
  if (failure) throw new Error(failure)
  return { requests, perSecond: requests / seconds }
}

async function wrk({ call, connections, seconds }: Task, folder: string): Promise<Outcome> {
  const script = join(folder, 'request.lua')
  const headers = Object.entries(call.headers).map(([name, value]) => `wrk.headers["${name}"] = [==[${value}]==]`)
  const lines = [`wrk.method = "POST"`, `wrk.body = [==[${call.body}]==]`, ...headers]
  if (call.body.includes(SERIAL)) lines.push(serials())
  writeFileSync(script, lines.join('\n'))
  const address = `http://127.0.0.1:${call.port}${call.path}`
  const command = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, address]
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [output, complaints] = await Promise.all([child.stdout.text(), child.stderr.text()])
  const requests = /(\d+) requests in/.exec(output)
  if (!requests) return { requests: 0, failure: `wrk: ${complaints || output}` }
  const failure = /Non-2xx.*|Socket errors.*/.exec(output)
  return { requests: Number(requests[1]), failure: failure ? `wrk: ${failure[0]}` : null }
}

/** The requests of earlier rounds must not come again. */
const firstSerial = () => Math.floor(Math.random() * 10 ** SERIAL.length)

/** The part of wrk's script that numbers the requests. */
const serials = () => `local count = ${firstSerial()}
local before, after = wrk.body:match("^(.*)${SERIAL}(.*)$")
request = function()
  count = (count + 1) % ${10 ** SERIAL.length}
  return wrk.format(nil, nil, nil, before .. string.format("%0${SERIAL.length}d", count) .. after)
end`

async function ownGenerator({ call, connections, seconds }: Task): Promise<Outcome> {
  let count = firstSerial()
  const varies = call.body.includes(SERIAL)
  const always = requestBytes(call)
  const request = () => (varies ? requestBytes({ ...call, body: call.body.replace(SERIAL, serial(count++)) }) : always)
  const outcome: Outcome = { requests: 0, failure: null }
  const sockets = Array.from({ length: connections }, () => {
    const answers = watchAnswers()
    return Bun.connect({
      hostname: '127.0.0.1',
      port: call.port,
      socket: {
        open: socket => void socket.write(request()),
        data(socket, bytes) {
          try {
            if (!answers.read(bytes)) return
            outcome.requests++
            socket.write(request())
          } catch (error) {
            outcome.failure ??= String(error)
            socket.terminate()
          }
        },
        error: (_, error) => {
          outcome.failure ??= String(error)
        },
      },
    })
  })
  await Bun.sleep(seconds * 1000)
  for (const socket of await Promise.all(sockets)) socket.terminate()
  return outcome
}

if (import.meta.main) {
  endWithBench()
  process.send?.(await ownGenerator(taskOfPart<Task>()))
}
