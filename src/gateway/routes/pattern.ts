import { RE2JS, RE2JSException } from 're2js'

/** Characters of a pattern. */
const LONGEST_PATTERN = 1_000
/** Time grows with the program's length times the text's: these two bound it to some hundredths of a second. */
const LONGEST_PROGRAM = 1_000
/** Characters of a text; what stands behind them is not looked at. */
const LONGEST_SUBJECT = 65_536

const FLAGS: Record<string, number> = { i: RE2JS.CASE_INSENSITIVE, m: RE2JS.MULTILINE, s: RE2JS.DOTALL }

/**
 * Compiles a regular expression that cannot run away: RE2's syntax, which has neither look-around nor back-references,
 * in time that grows with the text's length and not faster. It may match anywhere in the first 65,536 characters.
 *
 * @param options letters of `i`, `m` and `s`
 * @returns the test, or what is wrong
 */
export function patternTest(pattern: string, options = ''): ((text: string) => boolean) | string {
  if (pattern.length > LONGEST_PATTERN) return `expected a pattern of at most ${LONGEST_PATTERN} characters`
  let flags = 0
  for (const letter of options) {
    const flag = FLAGS[letter]
    if (!flag) return 'expected $options of the letters i, m and s'
    flags |= flag
  }
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern, flags)
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    const reason = 'error' in error ? String(error.error) : error.message
    return `the regular expression is not valid: ${reason} (look-around and back-references are not supported)`
  }
  if (compiled.programSize() > LONGEST_PROGRAM) return 'the regular expression is too large: repeat less in it'
  return text => compiled.test(text.length > LONGEST_SUBJECT ? text.slice(0, LONGEST_SUBJECT) : text)
}
