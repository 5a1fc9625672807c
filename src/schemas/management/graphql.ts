import { type Static, Type } from '@sinclair/typebox'
import { anyObject, nullable, open, optional } from '../open.ts'

/** GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/). */

export const GraphQLQuery = open(
  {
    query: Type.String({ maxLength: 50_000 }),
    variables: optional(anyObject()),
    operationName: optional(Type.String({ maxLength: 200 })),
  },
  { $id: 'GraphQLQuery' },
)

export const GraphQLResult = open(
  {
    data: nullable(anyObject()),
    errors: nullable(Type.Array(open({ message: Type.String() }))),
  },
  { $id: 'GraphQLResult' },
)

export type GraphQLQuery = Static<typeof GraphQLQuery>
