import type { Machine } from '../machine.ts'
import { finite } from '../operators.ts'
import { typeOf, type Value } from '../values.ts'
import { modulo } from './format.ts'
import { asNumber, type Library, strict } from './kit.ts'

const one = (calculate: (x: number) => number) =>
  strict(['x'], (machine, x) => finite(machine, calculate(asNumber(machine, x))))

const two = (names: [string, string], calculate: (x: number, y: number) => number) =>
  strict(names, (machine, x, y) => finite(machine, calculate(asNumber(machine, x), asNumber(machine, y))))

const question = (ask: (x: number) => boolean) => strict(['x'], (machine, x) => ask(asNumber(machine, x)))

/** x = mantissa · 2^exponent, the mantissa from 0.5 below 1 */
function parts(value: number): { mantissa: number; exponent: number } {
  if (value === 0) return { mantissa: value, exponent: 0 }
  let mantissa = value
  let exponent = 0
  while (Math.abs(mantissa) >= 1) {
    mantissa /= 2
    exponent += 1
  }
  while (Math.abs(mantissa) < 0.5) {
    mantissa *= 2
    exponent -= 1
  }
  return { mantissa, exponent }
}

function expected(machine: Machine, name: string, value: Value): number {
  if (typeof value !== 'number') throw machine.fail(`std.${name} expected number, got ${typeOf(value)}`)
  return value
}

/** Halves go away from zero. */
const round = (x: number) => Math.sign(x) * Math.floor(Math.abs(x) + 0.5)

export const math: Library = {
  abs: strict(['n'], (machine, n) => Math.abs(expected(machine, 'abs', n))),
  sign: strict(['n'], (machine, n) => Math.sign(expected(machine, 'sign', n)) + 0),
  max: strict(['a', 'b'], (machine, a, b) =>
    Math.max(expected(machine, 'max first param', a), expected(machine, 'max second param', b)),
  ),
  min: strict(['a', 'b'], (machine, a, b) =>
    Math.min(expected(machine, 'min first param', a), expected(machine, 'min second param', b)),
  ),
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
  pow: two(['x', 'n'], (x, n) => x ** n),
  modulo: two(['x', 'y'], (x, y) => x % y),
  mod: strict(['a', 'b'], (machine, a, b) => modulo(machine, a, b)),
  isEven: question((x) => Math.trunc(x) % 2 === 0),
  isOdd: question((x) => Math.trunc(x) % 2 !== 0),
  isInteger: question(Number.isInteger),
  isDecimal: question((x) => !Number.isInteger(x)),
}
