import { isObject, type Json } from '../identities/types.ts'
import { stringifyJson } from '../kernel/base/exact-json.ts'
import { compileProgram } from '../kernel/jsonnet/index.ts'
import type { ClaimsMapper } from './types.ts'

/**
 * A mapper as in Kratos: a program that reads `std.extVar('session')` and `std.extVar('claims')` and returns an
 * object with a member `claims`. Numbers become doubles, as in Kratos.
 *
 * @param doubt is called with what can only fail at run time, such as a call of an unknown function
 * @throws JsonnetError with line and column for a syntax error
 */
export function compileMapper(text: string, doubt: (reason: string) => void): ClaimsMapper {
  const program = compileProgram(text, 'mapper')
  program.doubts.forEach(doubt)
  return ({ session, claims }) => {
    const extCodes = { session: stringifyJson(session), claims: stringifyJson(claims) }
    const made = JSON.parse(program.run({ extCodes })) as Json
    const mapped = isObject(made) ? made.claims : undefined
    if (!isObject(mapped)) throw new Error('the mapper made no object with a member "claims" that is an object')
    return mapped
  }
}
