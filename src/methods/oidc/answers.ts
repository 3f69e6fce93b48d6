import type { Json } from '../../identities/types.ts'
import { ExactNumber } from '../../kernel/base/exact-number.ts'
import { parseJson, TextRefused } from '../../kernel/base/json.ts'

/** Far beyond what providers describe a person, their keys or themselves with. */
const LIMITS = { values: 10_000, depth: 32 }

/** What a provider sends, as far as it can be stored: no NUL, no broken characters. @throws Error unless it is an object or a list */
export function readAnswer(body: Buffer | string): Json {
  const value = read(String(body))
  assertFinite(value)
  if (typeof value !== 'object' || value === null) throw new Error('the answer is no JSON object')
  return value
}

/** `1e999` is JSON, and no number that anything else here knows. */
function assertFinite(value: Json | undefined): void {
  if (value instanceof ExactNumber && !Number.isFinite(Number(value.text))) {
    throw new Error('the JSON of the provider holds a number that is too large')
  }
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(assertFinite)
}

function read(text: string): Json {
  try {
    return parseJson(text, LIMITS) as Json
  } catch (error) {
    if (error instanceof TextRefused) {
      throw new Error(error.message.replace(/^The (?:JSON payload|request)/, 'the JSON of the provider'))
    }
    throw new Error('the answer is not JSON', { cause: error })
  }
}
