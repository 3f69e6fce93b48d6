import { toText } from '../manifest.ts'
import { visibilities } from '../objects.ts'
import { equals } from '../operators.ts'
import { quote, textLength } from '../text.ts'
import { JsonnetArray, JsonnetFunction, JsonnetObject, type TypeName, typeOf } from '../values.ts'
import { asBoolean, asText, identity, type Library, strict } from './kit.ts'

const is = (name: TypeName) => strict(['v'], (_, value) => typeOf(value) === name)

export const types: Library = {
  id: identity,
  type: strict(['x'], (_, value) => typeOf(value)),
  isString: is('string'),
  isNumber: is('number'),
  isBoolean: is('boolean'),
  isObject: is('object'),
  isArray: is('array'),
  isFunction: is('function'),
  isNull: is('null'),
  toString: strict(['a'], (machine, value) => toText(machine, value)),
  length: strict(['x'], (machine, value) => {
    if (typeof value === 'string') return textLength(machine, value)
    if (value instanceof JsonnetArray) return value.items.length
    if (value instanceof JsonnetFunction) return value.parameters.list.filter(({ fallback }) => !fallback).length
    if (!(value instanceof JsonnetObject)) throw machine.fail(`Unexpected type ${typeOf(value)}`)
    let shown = 0
    machine.spend(visibilities(machine, value).size)
    for (const visibility of visibilities(machine, value).values()) if (visibility !== 1) shown += 1
    return shown
  }),
  equals: strict(['x', 'y'], (machine, x, y) => equals(machine, x, y)),
  primitiveEquals: strict(['x', 'y'], (machine, x, y) => {
    if (x instanceof JsonnetArray || x instanceof JsonnetObject)
      if (typeOf(x) === typeOf(y)) throw machine.fail(`primitiveEquals operates on primitive types, got ${typeOf(x)}`)
    return equals(machine, x, y)
  }),
  assertEqual: strict(['a', 'b'], (machine, a, b) => {
    if (equals(machine, a, b)) return true
    const [left, right] = [a, b].map((value) => (typeof value === 'string' ? quote(value) : toText(machine, value)))
    throw machine.fail(`Assertion failed. ${left} != ${right}`)
  }),
  xor: strict(['x', 'y'], (machine, x, y) => asBoolean(machine, x) !== asBoolean(machine, y)),
  xnor: strict(['x', 'y'], (machine, x, y) => asBoolean(machine, x) === asBoolean(machine, y)),
  // no functions of the host are handed in
  native: strict(['x'], (machine, name) => {
    asText(machine, name)
    return null
  }),
}
