import { Kind, type Static, type TObject, type TSchema } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'
import { explain } from '../../schemas/explain.ts'
import { readJsonBody } from '../body.ts'
import { invalid } from './answers.ts'

/** What a call says in its body and in its query, held against the schema that documents it. */

export interface Said<T> {
  value: T
  /** What the schema does not name, in sentences for the answer's `messages`: it has no effect. */
  notes: string[]
}

/** A member's name that is certainly no more than that. */
const TELLABLE = /^\w{1,64}$/

/**
 * @returns a reader of bodies of this form; the schema is compiled when the first one comes
 * @throws GatewayFault (the reader) 400/7001 for what does not fit, 413 and 415 as `readJsonBody` does
 */
export function bodyReader<S extends TObject>(
  schema: S,
): (request: Request, limit: number) => Promise<Said<Static<S>>> {
  const fit = fitter(schema, 'body')
  return async (request, limit) => {
    const { value } = await readJsonBody(request, limit)
    return { value: fit(value), notes: unknownTo(schema, value) }
  }
}

/** The same for the query, where everything is text. A parameter that comes twice counts once, as it came first. */
export function queryReader<S extends TObject>(schema: S): (request: Request) => Static<S> {
  const fit = fitter(schema, 'query')
  return ({ url }) => {
    const mark = url.indexOf('?')
    const said: Record<string, unknown> = {}
    if (mark >= 0) {
      const query = new URLSearchParams(url.slice(mark + 1))
      for (const [name, member] of Object.entries(schema.properties)) {
        const text = query.get(name)
        if (text !== null) said[name] = meaning(member, text)
      }
    }
    return fit(said)
  }
}

function fitter<S extends TObject>(schema: S, place: 'body' | 'query'): (value: unknown) => Static<S> {
  let check: TypeCheck<S> | undefined
  return value => {
    check ??= TypeCompiler.Compile(schema)
    if (check.Check(value)) return value
    throw invalid(place, explain(schema, value) ?? { path: '', message: `the ${place}: not as it is documented` })
  }
}

const unknownTo = ({ properties }: TObject, value: object): string[] =>
  Object.keys(value)
    .filter(name => !Object.hasOwn(properties, name) && TELLABLE.test(name))
    .map(name => `${name}: not known here, and without effect`)

const NUMBER = /^-?\d{1,16}(?:\.\d{1,16})?$/

/** What a text stands for, as far as the schema asks for anything else; otherwise the text, which it then refuses. */
function meaning(schema: TSchema, text: string): unknown {
  for (const { [Kind]: kind } of (schema.anyOf as TSchema[] | undefined) ?? [schema]) {
    if (kind === 'Null' && (text === '' || text === 'null')) return null
    if ((kind === 'Integer' || kind === 'Number') && NUMBER.test(text)) return Number(text)
    if (kind === 'Boolean' && (text === 'true' || text === 'false')) return text === 'true'
  }
  return text
}
