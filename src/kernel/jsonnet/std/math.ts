import type { Machine } from '../machine.ts'
import { parts, power } from '../numbers.ts'
import { compare, finite } from '../operators.ts'
import { typeOf, type Value } from '../values.ts'
import { modulo } from './format.ts'
import { asNumber, type Library, strict } from './kit.ts'

const one = (calculate: (x: number) => number) =>
  strict(['x'], (machine, x) => finite(machine, calculate(asNumber(machine, x))))

const two = (names: [string, string], calculate: (x: number, y: number) => number) =>
  strict(names, (machine, x, y) => finite(machine, calculate(asNumber(machine, x), asNumber(machine, y))))

const question = (ask: (x: number) => boolean) => strict(['x'], (machine, x) => ask(asNumber(machine, x)))

function expected(machine: Machine, name: string, value: Value): number {
  if (typeof value !== 'number') throw machine.fail(`std.${name} expected number, got ${typeOf(value)}`)
  return value
}

const either = (name: string, choose: (a: number, b: number) => number) =>
  strict(['a', 'b'], (machine, a, b) =>
    choose(expected(machine, `${name} first param`, a), expected(machine, `${name} second param`, b)),
  )

/** Halves go away from zero. */
const round = (x: number) => Math.sign(x) * Math.floor(Math.abs(x) + 0.5)

export const math: Library = {
  // minus zero of zero, as ever
  abs: strict(['n'], (machine, n) => (expected(machine, 'abs', n) > 0 ? n : -(n as number))),
  sign: strict(['n'], (machine, n) => Math.sign(expected(machine, 'sign', n)) + 0),
  // biome-ignore lint/complexity/useMathMinMax: of zero and minus zero the second, as ever
  max: either('max', (a, b) => (a > b ? a : b)),
  // biome-ignore lint/complexity/useMathMinMax: the same
  min: either('min', (a, b) => (a < b ? a : b)),
  ceil: one(Math.ceil),
  floor: one(Math.floor),
  round: one((x) => (Math.abs(x) >= 2 ** 52 ? x : Math.abs(x) === 0.49999999999999994 ? 0 * x : round(x))),
  sqrt: one(Math.sqrt),
  sin: one(Math.sin),
  cos: one(Math.cos),
  tan: one(Math.tan),
  asin: one(Math.asin),
  acos: one(Math.acos),
  atan: one(Math.atan),
  log: one(Math.log),
  log2: one((x) => Math.log(x) / Math.log(2)),
  log10: one((x) => Math.log(x) / Math.log(10)),
  exp: one(Math.exp),
  deg2rad: one((x) => (x * Math.PI) / 180),
  rad2deg: one((x) => (x * 180) / Math.PI),
  mantissa: one((x) => parts(x).mantissa),
  exponent: one((x) => parts(x).exponent),
  atan2: two(['y', 'x'], Math.atan2),
  hypot: two(['x', 'y'], Math.hypot),
  pow: two(['x', 'n'], power),
  modulo: strict(['x', 'y'], (machine, x, y) => modulo(machine, asNumber(machine, x), asNumber(machine, y))),
  mod: strict(['a', 'b'], (machine, a, b) => modulo(machine, a, b)),
  clamp: strict(['x', 'minVal', 'maxVal'], (machine, x, least, most) =>
    compare(machine, x, least) < 0 ? least : compare(machine, x, most) > 0 ? most : x,
  ),
  isEven: question((x) => Math.trunc(x) % 2 === 0),
  isOdd: question((x) => Math.trunc(x) % 2 !== 0),
  isInteger: question(Number.isInteger),
  isDecimal: question((x) => !Number.isInteger(x)),
}
