import type { RE2JS } from 're2js'
import type { Budget } from '../budget.ts'
import { ANY, type Value } from '../values.ts'

/** What functions may use besides their arguments. */
export interface Runtime {
  budget: Budget
  /** Regular expressions that were read before. */
  patterns: Map<string, RE2JS>
  /** Milliseconds of processor time, from any beginning. */
  cpu(): number
  /** Milliseconds since 1970. */
  now(): number
  /** A whole number from 0 up to and without `below`. */
  random(below: number): number
}

/** A parameter that takes a value as it stands, even one that is missing. */
export const RAW = 'reflect.Value'

export interface Func {
  /** Go types. */
  params: readonly string[]
  /** The last parameter takes any number of arguments. */
  variadic: boolean
  call(args: readonly Value[], runtime: Runtime): Value
}

const SHORT: Record<string, string> = {
  any: ANY,
  raw: RAW,
  float: 'float64',
  dict: `map[string]${ANY}`,
  list: `[]${ANY}`,
  time: 'time.Time',
}

/**
 * @param signature types with commas between them; `...` before the last one for any number: `string, ...any`
 */
export function func<Args extends readonly Value[]>(
  signature: string,
  call: (args: Args, runtime: Runtime) => Value,
): Func {
  const words = signature === '' ? [] : signature.split(', ')
  const params = words.map((word) => SHORT[word.replace('...', '')] ?? word.replace('...', ''))
  return { params, variadic: words.at(-1)?.startsWith('...') ?? false, call: call as unknown as Func['call'] }
}
