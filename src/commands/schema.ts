import { fileJsonSchema } from '../config/json-schema.ts'
import { type Output, printAll } from './output.ts'

/**
 * `postern schema`: prints the JSON Schema of postern.yaml, for editors.
 *
 * @returns the exit code, always 0
 */
export async function schemaCommand(
  options: { knownProviders?: readonly string[]; output?: Output } = {},
): Promise<number> {
  const { knownProviders = [], output } = options
  const text = JSON.stringify(fileJsonSchema(knownProviders), null, 2)
  if (output) output.out(text)
  else await printAll(`${text}\n`)
  return 0
}
