import type { ErrorCode } from 'yaml'

/** The parser's own messages repeat pieces of the file, which may be secrets; these do not. */
const complaints: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: 'an alias ("*name") that names nothing',
  BAD_DIRECTIVE: 'a line that begins with "%" is a directive, and this one is not known',
  BAD_DQ_ESCAPE: 'a backslash in double quotes that begins no known escape; single quotes keep backslashes as they are',
  BAD_INDENT: 'wrong indentation, or a bracket that is not closed',
  BAD_SCALAR_START: 'a value may not begin with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'two keys on one line; put the second on a line of its own, or a value that holds ": " in quotes',
  BLOCK_IN_FLOW: 'a list or mapping with indentation inside of brackets',
  KEY_OVER_1024_CHARS: 'a key of more than 1024 characters; is a colon missing before?',
  MISSING_CHAR: 'something is missing here: a colon after a key, a space after a colon, or a closing quote or bracket',
  MULTILINE_IMPLICIT_KEY: 'a key that goes over several lines; is a colon missing, or a quote open?',
  MULTIPLE_DOCS: 'a second document begins here; the configuration is one document, without "---" inside',
  TAB_AS_INDENT: 'a tab in the indentation; YAML wants spaces',
  TAG_RESOLVE_FAILED: 'a tag ("!name") that is not known; it is ignored',
  UNEXPECTED_TOKEN: 'something stands here that YAML does not expect; is a quote, a bracket or a comma missing before?',
}

/** What is wrong with the syntax, in words that repeat nothing of the file. */
export const complaint = (code: ErrorCode): string =>
  `not valid YAML: ${complaints[code] ?? 'it cannot be read from here on'}`
