import type { Location } from './errors.ts'
import type { Machine } from './machine.ts'
import { toText } from './manifest.ts'
import { fieldNames, getField } from './objects.ts'
import { compareText } from './text.ts'
import { force, JsonnetArray, JsonnetFunction, JsonnetObject, typeOf, type Value } from './values.ts'

export function add(machine: Machine, left: Value, right: Value, location?: Location): Value {
  if (typeof left === 'number' && typeof right === 'number') return finite(machine, left + right, location)
  if (typeof left === 'string' || typeof right === 'string') {
    const text = toText(machine, left) + toText(machine, right)
    machine.spendText(text.length)
    return text
  }
  if (left instanceof JsonnetObject && right instanceof JsonnetObject) {
    const layers = [...left.layers, ...right.layers]
    machine.spendItems(layers.length)
    return new JsonnetObject(layers)
  }
  if (left instanceof JsonnetArray && right instanceof JsonnetArray) {
    machine.spendItems(left.items.length + right.items.length)
    return new JsonnetArray([...left.items, ...right.items])
  }
  if (typeof left === 'number' || left instanceof JsonnetObject || left instanceof JsonnetArray)
    throw wrongType(machine, right, typeOf(left), location)
  throw machine.fail(`Unexpected type ${typeOf(left)}`, location)
}

/** Infinities and NaN are no values. */
export function finite(machine: Machine, value: number, location?: Location): number {
  if (Number.isFinite(value)) return value
  throw machine.fail(Number.isNaN(value) ? 'Not a number' : 'Overflow', location)
}

export function wrongType(machine: Machine, value: Value, expected: string, location?: Location) {
  return machine.fail(`Unexpected type ${typeOf(value)}, expected ${expected}`, location)
}

type Arithmetic = '-' | '*' | '/' | '<<' | '>>' | '&' | '|' | '^'

export function calculate(
  machine: Machine,
  operator: Arithmetic,
  left: Value,
  right: Value,
  location: Location,
): Value {
  if (typeof left !== 'number') throw wrongType(machine, left, 'number', location)
  if (typeof right !== 'number') throw wrongType(machine, right, 'number', location)
  switch (operator) {
    case '-':
      return finite(machine, left - right, location)
    case '*':
      return finite(machine, left * right, location)
    case '/':
      if (right === 0) throw machine.fail('Division by zero.', location)
      return finite(machine, left / right, location)
  }
  return bitwise(machine, operator, left, right, location)
}

/** @throws JsonnetError where the value is no integer that a double holds exactly */
function wide(machine: Machine, value: number, location: Location): bigint {
  if (Math.abs(value) >= 2 ** 63)
    throw machine.fail(
      `Bitwise operator argument ${value} outside of range [${-(2n ** 63n)}, ${2n ** 63n - 1n}]`,
      location,
    )
  return BigInt(Math.trunc(value))
}

function bitwise(machine: Machine, operator: Arithmetic, left: number, right: number, location: Location): number {
  const a = wide(machine, left, location)
  const b = wide(machine, right, location)
  const shift = operator === '<<' || operator === '>>'
  if (shift && b < 0n) throw machine.fail('Shift by negative exponent.', location)
  switch (operator) {
    case '<<':
      return Number(BigInt.asIntN(64, a << (b % 64n)))
    case '>>':
      return Number(a >> (b % 64n))
    case '&':
      return Number(a & b)
    case '|':
      return Number(a | b)
    default:
      return Number(a ^ b)
  }
}

export const complement = (value: number): number => Number(BigInt.asIntN(64, ~BigInt(Math.trunc(value))))

/** Fields that are hidden do not count. @throws JsonnetError at functions */
export function equals(machine: Machine, left: Value, right: Value, location?: Location): boolean {
  machine.spend(1)
  if (typeof left === 'string' && typeof right === 'string') {
    if (left.length === right.length) machine.spendText(left.length)
    return left === right
  }
  if (typeof left !== 'object' || left === null || typeof right !== 'object' || right === null) return left === right
  if (left instanceof JsonnetFunction && right instanceof JsonnetFunction)
    throw machine.fail('Cannot test equality of functions', location)
  machine.enter(4)
  let same = false
  if (left instanceof JsonnetArray && right instanceof JsonnetArray) same = equalArrays(machine, left, right, location)
  else if (left instanceof JsonnetObject && right instanceof JsonnetObject)
    same = equalObjects(machine, left, right, location)
  machine.leave(4)
  return same
}

function equalArrays(machine: Machine, left: JsonnetArray, right: JsonnetArray, location?: Location): boolean {
  if (left.items.length !== right.items.length) return false
  return left.items.every((item, index) => equals(machine, force(item), force(right.items[index]!), location))
}

function equalObjects(machine: Machine, left: JsonnetObject, right: JsonnetObject, location?: Location): boolean {
  const names = fieldNames(machine, left)
  const others = fieldNames(machine, right)
  if (names.length !== others.length || names.some((name, index) => name !== others[index])) return false
  return names.every((name) => equals(machine, getField(machine, left, name), getField(machine, right, name), location))
}

/** @throws JsonnetError unless both are numbers, texts or arrays of such */
export function compare(machine: Machine, left: Value, right: Value, location?: Location): number {
  machine.spend(1)
  if (typeof left === 'number') {
    if (typeof right !== 'number') throw wrongType(machine, right, 'number', location)
    return left < right ? -1 : left > right ? 1 : 0
  }
  if (typeof left === 'string') {
    if (typeof right !== 'string') throw wrongType(machine, right, 'string', location)
    machine.spendText(Math.min(left.length, right.length))
    return compareText(left, right)
  }
  if (!(left instanceof JsonnetArray)) throw machine.fail(`Unexpected type ${typeOf(left)}`, location)
  if (!(right instanceof JsonnetArray)) throw wrongType(machine, right, 'array', location)
  machine.enter(2)
  const length = Math.min(left.items.length, right.items.length)
  let result = 0
  for (let index = 0; index < length && result === 0; index += 1)
    result = compare(machine, force(left.items[index]!), force(right.items[index]!), location)
  machine.leave(2)
  return result === 0 ? Math.sign(left.items.length - right.items.length) : result
}
