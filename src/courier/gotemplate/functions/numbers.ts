import { FunctionError } from '../errors.ts'
import { parseInteger } from '../parse/literals.ts'
import { sprint } from '../print/value.ts'
import { Int, List, type Value } from '../values.ts'
import { toFloat64, toInt64 } from './casts.ts'
import { decimalOperation } from './decimal.ts'
import { type Func, func, type Runtime } from './signature.ts'

const whole = (signature: string, call: (args: bigint[]) => bigint) =>
  func(signature, (args) => new Int(call(args.map(toInt64)), 'int64'))

const decimal = (operation: 'add' | 'sub' | 'mul' | 'div') =>
  func('any, ...any', ([first, ...others]) => exactly(operation, toFloat64(first), others.map(toFloat64)))

const rounded = (round: (value: number) => number) => func('any', ([value]) => round(toFloat64(value)))

const extreme = (pick: (...values: number[]) => number) =>
  func('any, ...any', (args) => pick(...bounded(args).map(toFloat64)))

// Math.max knows no bigint
const largest = whole('any, ...any', (args) => sorted(args).at(-1)!)

/** Whole numbers are int64 and wrap around; `…f` are decimal. @see https://masterminds.github.io/sprig/math.html */
export const NUMBERS: Record<string, Func> = {
  add: whole('...any', (args) => args.reduce((sum, n) => sum + n, 0n)),
  add1: whole('any', ([n]) => n! + 1n),
  sub: whole('any, any', ([a, b]) => a! - b!),
  mul: whole('any, ...any', (args) => args.reduce((product, n) => BigInt.asIntN(64, product * n), 1n)),
  div: whole('any, any', ([a, b]) => a! / divisor(b!)),
  mod: whole('any, any', ([a, b]) => a! % divisor(b!)),
  max: largest,
  biggest: largest,
  min: whole('any, ...any', (args) => sorted(args)[0]!),
  addf: func('...any', (args) => exactly('add', 0, args.map(toFloat64))),
  add1f: func('any', ([value]) => exactly('add', toFloat64(value), [1])),
  subf: decimal('sub'),
  mulf: decimal('mul'),
  divf: decimal('div'),
  maxf: extreme(Math.max),
  minf: extreme(Math.min),
  ceil: rounded(Math.ceil),
  floor: rounded(Math.floor),
  round: func('any, int, ...float64', ([value, places, on = 0.5]: readonly [Value, Int, number?]) =>
    round(toFloat64(value), Number(places.n), on),
  ),
  int: func('any', ([value]) => new Int(toInt64(value), 'int')),
  int64: func('any', ([value]) => new Int(toInt64(value), 'int64')),
  float64: func('any', ([value]) => toFloat64(value)),
  atoi: func('string', ([text]: readonly [string]) => new Int(decimalInteger(text) ?? 0n)),
  toDecimal: func('any', ([value], { budget }) => new Int(octal(sprint([value], budget)), 'int64')),
  until: func('int', ([count]: readonly [Int], runtime) => ints(steps(0n, count.n, count.n < 0n ? -1n : 1n, runtime))),
  untilStep: func('int, int, int', ([start, stop, step]: readonly [Int, Int, Int], runtime) =>
    ints(steps(start.n, stop.n, step.n, runtime)),
  ),
  seq: func('...int', (args: readonly Int[], runtime) =>
    sequence(
      args.map(({ n }) => n),
      runtime,
    ).join(' '),
  ),
  randInt: func('int, int', ([low, high]: readonly [Int, Int], { random }) => {
    if (high.n <= low.n || high.n - low.n > 2n ** 47n) throw new FunctionError('the range is empty or too large')
    return new Int(low.n + BigInt(random(Number(high.n - low.n))))
  }),
}

function sorted(args: readonly bigint[]): bigint[] {
  return [...args].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

/** The value of a text of decimal digits; what is too large is the largest there is. */
export function decimalInteger(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]{1,400}$/.test(text)) return undefined
  const value = BigInt(text.replace(/^\+/, ''))
  const [low, high] = [-(2n ** 63n), 2n ** 63n - 1n]
  return value < low ? low : value > high ? high : value
}

function divisor(n: bigint): bigint {
  if (n === 0n) throw new FunctionError('division by zero')
  return n
}

function exactly(operation: 'add' | 'sub' | 'mul' | 'div', first: number, others: readonly number[]): number {
  const result = decimalOperation(operation, first, bounded(others))
  if (result === undefined) throw new FunctionError('division by zero')
  return result
}

/** Decimal products grow with each factor. */
function bounded<T>(args: readonly T[]): readonly T[] {
  if (args.length > 100) throw new FunctionError('more than 100 numbers')
  return args
}

function round(value: number, places: number, on: number): number {
  const power = 10 ** places
  const digit = power * value
  return (digit - Math.trunc(digit) >= on ? Math.ceil(digit) : Math.floor(digit)) / power
}

function octal(text: string): bigint {
  const [, sign, digits] = /^([+-]?)([0-7]+)$/.exec(text) ?? []
  const value = digits === undefined ? 0n : (parseInteger(`0o${digits}`) ?? 0n)
  return BigInt.asIntN(64, value) === value ? (sign === '-' ? -value : value) : 0n
}

function sequence(args: readonly bigint[], runtime: Runtime): bigint[] {
  if (args.length === 0 || args.length > 3) return []
  if (args.length === 3) {
    const [start, step, end] = args as [bigint, bigint, bigint]
    if (end < start && step > 0n) return []
    return steps(start, end + (end < start ? -1n : 1n), step, runtime)
  }
  const [start, end] = args.length === 1 ? [1n, args[0]!] : [args[0]!, args[1]!]
  const step = end < start ? -1n : 1n
  return steps(start, end + step, step, runtime)
}

function steps(start: bigint, stop: bigint, step: bigint, { budget }: Runtime): bigint[] {
  if (stop < start ? step >= 0n : step <= 0n) return []
  const count = (stop - start) / step
  budget.step(Number(count) * 4)
  const all: bigint[] = []
  for (let i = start; stop < start ? i > stop : i < stop; i += step) all.push(i)
  return all
}

function ints(values: readonly bigint[]): List {
  return new List(
    values.map((n) => new Int(n)),
    'int',
  )
}
