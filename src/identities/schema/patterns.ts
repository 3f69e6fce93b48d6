import { RE2JS, RE2JSException } from 're2js'

/** A regular expression of an identity schema. It matches anywhere in the text unless it is anchored. */
export interface Pattern {
  test(text: string): boolean
}

/** A backtracking pattern never matches longer texts: its cost may grow with the square of the text, or worse. */
const MAX_BACKTRACKING_INPUT = 8192

/**
 * Compiles a pattern as Kratos does: the syntax of RE2, in time linear in the text that it is tried on.
 *
 * @param backtracking uses the engine of JavaScript for what RE2 lacks (look-around, back-references)
 * @throws SyntaxError with the reason
 * @see docs/adr/0014-patterns.md
 */
export function compilePattern(source: string, backtracking = false): Pattern {
  try {
    return RE2JS.compile(source)
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause
    const known = readByJavaScript(source)
    if (known && backtracking) return { test: (text) => text.length <= MAX_BACKTRACKING_INPUT && known.test(text) }
    const reason = cause.message.replace(/^error parsing regexp: /, '')
    const remedy =
      'it cannot run in linear time; write it without look-around and back-references, or accept the risk by naming the schema in lethe.identity.backtracking_patterns'
    throw new SyntaxError(known ? `${reason}; ${remedy}` : reason, { cause })
  }
}

/** Leading flags such as `(?i)` are those of RE2. */
function readByJavaScript(source: string): RegExp | undefined {
  const [, flags = '', rest = source] = /^\(\?([ims]+)\)(.*)$/s.exec(source) ?? []
  for (const mode of ['u', '']) {
    try {
      return new RegExp(rest, flags + mode)
    } catch {}
  }
  return undefined
}

/** A counted repetition is expanded when it is compiled: 128 characters take up to 80 ms, 1000 half a second. */
const MAX_PATTERN_FROM_CLIENT = 128

/** Whether a text from a client is a pattern. */
export function isPattern(text: string): boolean {
  if (text.length > MAX_PATTERN_FROM_CLIENT) return false
  try {
    RE2JS.compile(text)
    return true
  } catch {
    return false
  }
}
