import type { DocumentDecoration } from 'elysia'
import type { Response } from './documentation-errors.ts'

/** What the document says of one operation. */
export interface Operation {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  security?: Record<string, string[]>[]
  parameters?: readonly unknown[]
  requestBody?: { required?: boolean; description?: string; content: NonNullable<Response['content']> }
  responses: Record<string, Response>
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * A documented route.
 * @param path as Elysia has it; where it ends in `*`, the last of the operation's path parameters stands for the rest
 * @returns with it `detail`, which Elysia types as OpenAPI 3.0: that has no words for the JSON Schema that TypeBox writes
 * and 3.1 takes
 */
export const route = <const Path extends string>(method: Method, path: Path, operation: Operation) => ({
  method,
  path,
  detail: operation as unknown as DocumentDecoration,
})
