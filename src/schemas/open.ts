import { type TObject, type TProperties, type TSchema, Type } from '@sinclair/typebox'

/**
 * The pieces of which the schemas of the public API are made. They are open: a gateway must not lose or refuse a field
 * only because it is younger than the gateway, so every object takes members that it does not name.
 */

/** What a schema may say about itself beside its form. */
export interface About {
  /** The name of the component in the OpenAPI document; without it the schema stands where it is used. */
  $id?: string
  description?: string
  examples?: unknown[]
  deprecated?: boolean
  /** How a value is written, for the error that says that it is missing: `<provider>/<model>`. */
  'x-form'?: string
  minLength?: number
}

/** An object with these members and any others. */
export const open = <P extends TProperties>(properties: P, about: About = {}): TObject<P> =>
  Type.Object(properties, { additionalProperties: true, ...about })

/** The value or null. */
export const nullable = <S extends TSchema>(schema: S, about: About = {}) => Type.Union([schema, Type.Null()], about)

/** May be left out; clients that serialize whole objects send null instead, which means the same. */
export const optional = <S extends TSchema>(schema: S, about: About = {}) => Type.Optional(nullable(schema, about))

/** One of these words. */
export const word = <const W extends string[]>(words: W, about: About = {}) =>
  Type.Union(
    words.map(each => Type.Literal(each)),
    about,
  ) as unknown as ReturnType<typeof Type.Unsafe<W[number]>>

/**
 * A member of a union for the kinds that it does not name: an object whose `type` is none of the known words. Without
 * the exclusion a misspelt known kind would pass as an unknown one. The document leaves it out (see http/openapi.ts),
 * so that generated clients keep a union that its `type` decides.
 */
export const otherThan = (known: string[]) =>
  Type.Object(
    { type: Type.String({ pattern: `^(?!(?:${known.join('|')})$)` }) },
    { additionalProperties: true, 'x-other': true },
  )

/** Any JSON object. */
export const anyObject = (about: About = {}) => open({}, about)

/** Anthropic's mark behind which the prompt is kept, understood on parts, messages and tools. */
export const CacheControl = open(
  {
    type: Type.String({ description: '`ephemeral`.' }),
    ttl: optional(Type.String({ description: '`5m` or `1h`.' })),
  },
  {
    $id: 'CacheControl',
    description: 'A prompt-cache breakpoint for providers that want them set by hand; others ignore it.',
    examples: [{ type: 'ephemeral', ttl: '1h' }],
  },
)
