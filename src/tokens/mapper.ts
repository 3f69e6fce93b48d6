import { parseFilledMapper } from './mapper-filled.ts'
import { compileMapper } from './mapper-jsonnet.ts'
import type { ClaimsMapper } from './types.ts'

/**
 * Reads a claims mapper: a Jsonnet program as with Kratos, or JSON with placeholders. Every JSON text is also Jsonnet, so
 * JSON without placeholders means the same in both.
 *
 * @param doubt is called with what may fail when a token is made
 * @throws Error whose message follows the name of the file
 */
export function parseClaimsMapper(text: string, doubt: (reason: string) => void = () => {}): ClaimsMapper {
  return isJson(text) ? parseFilledMapper(text) : compileMapper(text, doubt)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
