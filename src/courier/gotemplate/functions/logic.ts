import { FunctionError } from '../errors.ts'
import { Int, isTrue, kindOf, Struct, Thing, typeOf, type Value } from '../values.ts'
import { identity } from './equality.ts'
import { type Func, func } from './signature.ts'

/** Defaults, choices and types. @see https://masterminds.github.io/sprig/defaults.html */
export const LOGIC: Record<string, Func> = {
  default: func('any, ...any', ([otherwise, value = null]) => (isEmpty(value) ? otherwise : value)),
  empty: func('any', ([value]) => isEmpty(value)),
  coalesce: func('...any', (values) => values.find((value) => !isEmpty(value)) ?? null),
  all: func('...any', (values) => values.every((value) => !isEmpty(value))),
  any: func('...any', (values) => values.some((value) => !isEmpty(value))),
  ternary: func('any, any, bool', ([yes, no, condition]) => (condition ? yes : no)),
  fail: func('string', ([reason]) => {
    throw new FunctionError(String(reason))
  }),
  typeOf: func('any', ([value]) => typeOf(value)),
  typeIs: func('string, any', ([type, value]) => typeOf(value) === type),
  typeIsLike: func('string, any', ([type, value]) => typeOf(value) === type || typeOf(value) === `*${type}`),
  kindOf: func('any', ([value]) => kindOf(value)),
  kindIs: func('string, any', ([kind, value]) => kindOf(value) === kind),
  deepEqual: func('any, any', ([a, b], { budget }) => identity(a, budget) === identity(b, budget)),
}

/** Nothing, false, zero or without elements. */
export function isEmpty(value: Value): boolean {
  if (value instanceof Struct || value instanceof Thing) return false
  return value instanceof Int ? value.n === 0n : !isTrue(value)
}
