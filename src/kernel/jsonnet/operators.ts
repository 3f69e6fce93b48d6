import type { Place } from './errors.ts'
import type { Machine } from './machine.ts'
import { toText } from './manifest.ts'
import { fieldNames, getField } from './objects.ts'
import { compareText } from './text.ts'
import { force, JsonnetArray, JsonnetFunction, JsonnetObject, typeOf, type Value } from './values.ts'

export function add(machine: Machine, left: Value, right: Value, place?: Place): Value {
  if (typeof left === 'number' && typeof right === 'number') return finite(machine, left + right, place)
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
    throw wrongType(machine, right, typeOf(left), place)
  throw machine.fail(`Unexpected type ${typeOf(left)}`, place)
}

/** Infinities and NaN are no values. */
export function finite(machine: Machine, value: number, place?: Place): number {
  if (Number.isFinite(value)) return value
  throw machine.fail(Number.isNaN(value) ? 'Not a number' : 'Overflow', place)
}

export function wrongType(machine: Machine, value: Value, expected: string, place?: Place) {
  return machine.fail(`Unexpected type ${typeOf(value)}, expected ${expected}`, place)
}

type Arithmetic = '-' | '*' | '/' | '<<' | '>>' | '&' | '|' | '^'

export function calculate(machine: Machine, operator: Arithmetic, left: Value, right: Value, place: Place): Value {
  if (typeof left !== 'number') throw wrongType(machine, left, 'number', place)
  if (typeof right !== 'number') throw wrongType(machine, right, 'number', place)
  switch (operator) {
    case '-':
      return finite(machine, left - right, place)
    case '*':
      return finite(machine, left * right, place)
    case '/':
      if (right === 0) throw machine.fail('Division by zero.', place)
      return finite(machine, left / right, place)
  }
  return bitwise(machine, operator, left, right, place)
}

/** @throws JsonnetError where the value is no integer that a double holds exactly */
function wide(machine: Machine, value: number, place: Place): bigint {
  if (Math.abs(value) >= 2 ** 63)
    throw machine.fail(
      `Bitwise operator argument ${value} outside of range [${-(2n ** 63n)}, ${2n ** 63n - 1n}]`,
      place,
    )
  return BigInt(Math.trunc(value))
}

function bitwise(machine: Machine, operator: Arithmetic, left: number, right: number, place: Place): number {
  const a = wide(machine, left, place)
  const b = wide(machine, right, place)
  const shift = operator === '<<' || operator === '>>'
  if (shift && b < 0n) throw machine.fail('Shift by negative exponent.', place)
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
export function equals(machine: Machine, left: Value, right: Value, place?: Place): boolean {
  machine.spend(1)
  if (typeof left === 'string' && typeof right === 'string') {
    if (left.length === right.length) machine.spendText(left.length)
    return left === right
  }
  if (typeof left !== 'object' || left === null || typeof right !== 'object' || right === null) return left === right
  if (left instanceof JsonnetFunction && right instanceof JsonnetFunction)
    throw machine.fail('Cannot test equality of functions', place)
  machine.enter(4)
  let same = false
  if (left instanceof JsonnetArray && right instanceof JsonnetArray) same = equalArrays(machine, left, right, place)
  else if (left instanceof JsonnetObject && right instanceof JsonnetObject)
    same = equalObjects(machine, left, right, place)
  machine.leave(4)
  return same
}

function equalArrays(machine: Machine, left: JsonnetArray, right: JsonnetArray, place?: Place): boolean {
  if (left.items.length !== right.items.length) return false
  return left.items.every((item, index) => equals(machine, force(item), force(right.items[index]!), place))
}

function equalObjects(machine: Machine, left: JsonnetObject, right: JsonnetObject, place?: Place): boolean {
  const names = fieldNames(machine, left)
  const others = fieldNames(machine, right)
  if (names.length !== others.length || names.some((name, index) => name !== others[index])) return false
  return names.every((name) => equals(machine, getField(machine, left, name), getField(machine, right, name), place))
}

/** @throws JsonnetError unless both are numbers, texts or arrays of such */
export function compare(machine: Machine, left: Value, right: Value, place?: Place): number {
  machine.spend(1)
  if (typeof left === 'number') {
    if (typeof right !== 'number') throw wrongType(machine, right, 'number', place)
    return left < right ? -1 : left > right ? 1 : 0
  }
  if (typeof left === 'string') {
    if (typeof right !== 'string') throw wrongType(machine, right, 'string', place)
    machine.spendText(Math.min(left.length, right.length))
    return compareText(left, right)
  }
  if (!(left instanceof JsonnetArray)) throw machine.fail(`Unexpected type ${typeOf(left)}`, place)
  if (!(right instanceof JsonnetArray)) throw wrongType(machine, right, 'array', place)
  machine.enter(2)
  const length = Math.min(left.items.length, right.items.length)
  let result = 0
  for (let index = 0; index < length && result === 0; index += 1)
    result = compare(machine, force(left.items[index]!), force(right.items[index]!), place)
  machine.leave(2)
  return result === 0 ? Math.sign(left.items.length - right.items.length) : result
}
