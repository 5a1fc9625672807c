import {
  buildSchema,
  type DocumentNode,
  execute,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  parse,
  validate,
  visit,
} from 'graphql'
import type { Manager } from '../../gateway/manage.ts'
import { tooMuchIn } from './bounds.ts'
import { otherNames, schemaText } from './schema.ts'
import { type Context, root } from './viewer.ts'

/** GraphQL over the records (contract 9.2), by the library of the name. Loaded when the first query comes. */

export interface GraphQLRequest {
  query: string
  variables?: Record<string, unknown> | null
  operationName?: string | null
}

interface Result {
  data: unknown
  errors: readonly unknown[] | null
}

const MOST_TOKENS = 4_000
const MOST_ERRORS = 10

let schema: GraphQLSchema | undefined

export async function runQuery({ query, variables, operationName }: GraphQLRequest, manager: Manager): Promise<Result> {
  schema ??= buildSchema(schemaText)
  let document: DocumentNode
  try {
    document = withOwnNames(parse(query, { maxTokens: MOST_TOKENS, noLocation: false }))
  } catch (thrown) {
    if (thrown instanceof GraphQLError) return refused([thrown])
    throw thrown
  }
  const errors = validate(schema, document, undefined, { maxErrors: MOST_ERRORS })
  if (errors.length) return refused(errors)
  const fault = tooMuchIn(document)
  if (fault) return refused([new GraphQLError(fault, { extensions: { code: 'budget' } })])
  const contextValue: Context = { manager, datasets: 0 }
  const { data, errors: failures } = await execute({
    schema,
    document,
    rootValue: root,
    contextValue,
    variableValues: variables ?? undefined,
    operationName: operationName ?? undefined,
  })
  return { data: data ?? null, errors: failures?.length ? failures : null }
}

const refused = (errors: readonly GraphQLError[]): Result => ({ data: null, errors })

/** Variables may be declared by the names that other services have for their types. */
const withOwnNames = (document: DocumentNode): DocumentNode =>
  visit(document, {
    VariableDefinition: node =>
      visit(node, {
        NamedType: type => {
          const name = otherNames[type.name.value]
          return name === undefined ? undefined : { ...type, name: { kind: Kind.NAME, value: name } }
        },
      }),
  })
