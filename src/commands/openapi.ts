import { stringify } from 'yaml'
import { documentedApp } from '../http/documented-app.ts'
import { buildDocument } from '../http/openapi.ts'
import { type Output, printAll, terminal } from './output.ts'

export interface OpenapiOptions {
  /** YAML instead of JSON. */
  yaml?: boolean
  /** The file to write; standard output where it is left out. */
  out?: string
  output?: Output
}

/** The document as the text of a file: the same for the same sources. */
export async function documentText(yaml = false): Promise<string> {
  const document = await buildDocument(documentedApp())
  // Repeated objects are written out: anchors are legal YAML, yet not every generator reads them.
  if (yaml) return stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 })
  return `${JSON.stringify(document, null, 2)}\n`
}

/**
 * `postern openapi`: writes the OpenAPI document.
 *
 * @returns the exit code: 0 well, 1 where the file cannot be written
 */
export async function openapiCommand(options: OpenapiOptions = {}): Promise<number> {
  const { yaml, out, output = terminal } = options
  const text = await documentText(yaml)
  if (!out) {
    if (output === terminal) await printAll(text)
    else output.out(text.trimEnd())
    return 0
  }
  try {
    await Bun.write(out, text)
    return 0
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    output.err(`postern openapi: cannot write ${out}: ${code}`)
    return 1
  }
}
