import { type DocumentNode, type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql'

/** As deep as the query by which tools ask for the schema, and some more. */
const DEEPEST = 20
const MOST_FIELDS = 1_000

/**
 * Whether a query asks for more than anybody needs, with its fragments put in. It is valid: no fragment is in itself.
 * @returns what is too much, in a sentence
 */
export function tooMuchIn({ definitions }: DocumentNode): string | undefined {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  let fields = 0
  const look = ({ selections }: SelectionSetNode, depth: number): string | undefined => {
    if (depth > DEEPEST) return `the query is deeper than ${DEEPEST} levels`
    for (const selection of selections) {
      if (++fields > MOST_FIELDS) return `the query has more than ${MOST_FIELDS} fields`
      const isSpread = selection.kind === Kind.FRAGMENT_SPREAD
      const set = isSpread ? fragments.get(selection.name.value)?.selectionSet : selection.selectionSet
      const fault = set && look(set, selection.kind === Kind.FIELD ? depth + 1 : depth)
      if (fault) return fault
    }
    return undefined
  }
  for (const definition of definitions)
    if (definition.kind === Kind.OPERATION_DEFINITION) {
      const fault = look(definition.selectionSet, 1)
      if (fault) return fault
    }
  return undefined
}
