import { readJson } from './exact-json.ts'

/** Bounds of one JSON text. */
export interface JsonLimits {
  /** members of objects and items of lists, on all levels together */
  values: number
  /** nested levels of objects and lists */
  depth: number
}

/** The text is refused; the message says why, for the client. */
export class TextRefused extends Error {
  override readonly name = 'TextRefused'
}

/**
 * Parses JSON from outside: a body, or a text inside one. It is measured before anything is built of it, as
 * an object of 400,000 members costs V8 four seconds. Numbers keep their text.
 * @throws SyntaxError for invalid JSON; TextRefused beyond the limits, for too long numbers, NUL and lone surrogates, which no column takes
 */
export function parseJson(text: string, limits: JsonLimits): unknown {
  assertSize(text, limits)
  const value = readNumbers(text)
  assertStorable(value)
  return value
}

function readNumbers(text: string): unknown {
  try {
    return readJson(text)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new TextRefused('The JSON payload holds numbers that are too long when they are written out.')
  }
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OBJECT, OBJECT_END, LIST, LIST_END] = [0x7b, 0x7d, 0x5b, 0x5d]

/** Each comma outside strings is one more value, and each bracket may begin one. */
function assertSize(text: string, limits: JsonLimits): void {
  let values = 0
  let depth = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (quoted) {
      if (code === BACKSLASH) at += 1
      else if (code === QUOTE) quoted = false
    } else if (code === QUOTE) quoted = true
    else if (code === COMMA) values += 1
    else if (code === OBJECT || code === LIST) {
      values += 1
      depth += 1
      if (depth > limits.depth) throw new TextRefused(`The JSON payload is nested deeper than ${limits.depth} levels.`)
    } else if (code === OBJECT_END || code === LIST_END) depth -= 1
    if (values > limits.values) throw new TextRefused(`The JSON payload holds more than ${limits.values} values.`)
  }
}

function assertStorable(value: unknown): void {
  if (typeof value === 'string') assertText(value)
  else if (Array.isArray(value)) value.forEach(assertStorable)
  else if (value !== null && typeof value === 'object')
    for (const [key, member] of Object.entries(value)) {
      assertText(key)
      assertStorable(member)
    }
}

export const NUL_REFUSED = 'The request contains a NUL character, which is not allowed.'

/** NUL and lone surrogates cannot be stored as text or jsonb: refused here, so that they never reach a statement. */
export function assertText(text: string): void {
  if (text.includes('\0')) throw new TextRefused(NUL_REFUSED)
  if (!text.isWellFormed()) throw new TextRefused('The request contains an incomplete Unicode character.')
}
