/** Far beyond any configuration, and far below what overflows the stack of a parser, which ends the process. */
const MAX_DEPTH = 1000

export const TOO_DEEP = `nested deeper than ${MAX_DEPTH} levels`

/** Whether a text may be nested too deeply to be parsed, in JSON or in YAML's form of it. Brackets in texts count too. */
export function isTooDeep(text: string): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '[' || char === '{') depth += 1
    else if (char === ']' || char === '}') depth = Math.max(0, depth - 1)
    if (depth > MAX_DEPTH) return true
  }
  return false
}
