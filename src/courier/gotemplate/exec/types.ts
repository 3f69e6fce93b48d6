import { FunctionError } from '../errors.ts'
import { RAW } from '../functions/signature.ts'
import { ANY, Dict, List, typeOf, type Value } from '../values.ts'

/**
 * Fits a value to the type of a parameter. Go converts nothing here: an int64 is no int, a float64 no int.
 *
 * @throws FunctionError
 */
export function fit(value: Value, type: string): Value {
  if (type === RAW) return value
  if (value === undefined) return zero(type, `no value where ${type} is expected`)
  if (type === ANY || typeOf(value) === type) return value
  throw new FunctionError(`expected ${type}, got ${value === null ? 'nil' : typeOf(value)}`)
}

/** What `nil` is for a parameter. @throws FunctionError where the type has none */
export function zero(type: string, fault = `nil cannot be ${type}`): Value {
  if (type === RAW) return undefined
  if (type === ANY) return null
  if (type.startsWith('map[')) return new Dict(new Map(), undefined, true)
  if (type.startsWith('[]')) return new List([], undefined, true)
  throw new FunctionError(fault)
}
