import { call } from '../calls.ts'
import type { Machine } from '../machine.ts'
import { add, equals, wrongType } from '../operators.ts'
import { slice } from '../slice.ts'
import { splitPoints } from '../text.ts'
import { type Cell, Env, force, JsonnetArray, JsonnetFunction, Thunk, typeOf, type Value } from '../values.ts'
import { arrayOf, asArray, asBoolean, asFunction, asInteger, asNumber, type Library, strict } from './kit.ts'

/** A call that is made when its result is asked for. */
export function later(machine: Machine, target: JsonnetFunction, ...args: Cell[]): Thunk {
  machine.spend(3)
  const run = () => call(machine, target, ...args)
  return new Thunk({ height: 3, run }, new Env(machine, null, [], null, 0))
}

/** Elements of an array, or the characters of a text. */
export function elements(machine: Machine, value: Value, complain: (type: string) => string): readonly Cell[] {
  if (typeof value === 'string') return splitPoints(machine, value)
  if (!(value instanceof JsonnetArray)) throw machine.fail(complain(typeOf(value)))
  machine.spendItems(value.items.length)
  return value.items
}

function functionParameter(machine: Machine, name: string, value: Value): JsonnetFunction {
  if (value instanceof JsonnetFunction) return value
  throw machine.fail(`std.${name} param must be function, got ${typeOf(value)}`)
}

function flatMap(machine: Machine, func: Value, value: Value): Value {
  const target = asFunction(machine, func)
  const items = elements(machine, value, (type) => `std.flatMap second param must be array / string, got ${type}`)
  if (typeof value === 'string') {
    const texts = items.map((item) => {
      const text = call(machine, target, item)
      if (typeof text !== 'string') throw wrongType(machine, text, 'string')
      machine.spendText(text.length)
      return text
    })
    return texts.join('')
  }
  const out: Cell[] = []
  for (const item of items) append(machine, out, asArray(machine, call(machine, target, item)).items)
  return new JsonnetArray(out)
}

/** More of an array that is being made. */
export function append(machine: Machine, out: Cell[], more: readonly Cell[]): void {
  machine.spend(1)
  machine.spendItems(out.length + more.length > machine.limits.size ? out.length + more.length : more.length)
  for (const cell of more) out.push(cell)
}

function filter(machine: Machine, func: Value, value: Value): JsonnetArray {
  const { items } = asArray(machine, value)
  const target = asFunction(machine, func)
  return arrayOf(
    machine,
    items.filter((item) => asBoolean(machine, call(machine, target, item))),
  )
}

function fold(machine: Machine, name: string, value: Value, start: Value, step: (running: Value, item: Cell) => Value) {
  const items = elements(machine, value, (type) => `${name} second parameter should be string or array, got ${type}`)
  let running = start
  for (const item of name === 'foldl' ? items : items.toReversed()) running = step(running, item)
  return running
}

/** `e` that holds decides; all must be booleans up to there. */
function some(machine: Machine, name: string, value: Value, decisive: boolean): boolean {
  if (!(value instanceof JsonnetArray))
    throw machine.fail(`${name}() parameter should be an array, got ${typeOf(value)}`)
  for (const item of value.items) {
    machine.spend(1)
    const answer = force(item)
    if (typeof answer !== 'boolean') throw machine.fail(`element of type ${typeOf(answer)} is not a boolean`)
    if (answer === decisive) return decisive
  }
  return !decisive
}

function indexOf(machine: Machine, items: readonly Cell[], value: Value): number {
  return items.findIndex((item) => equals(machine, force(item), value))
}

function without(machine: Machine, { items }: JsonnetArray, index: number): JsonnetArray {
  if (index < 0 || index >= items.length)
    throw machine.fail(`Index ${index} out of bounds, not within [0, ${items.length})`)
  return arrayOf(
    machine,
    items.filter((_, at) => at !== index),
  )
}

function flattenDeep(machine: Machine, value: Value, out: Cell[]): void {
  machine.spend(1)
  if (!(value instanceof JsonnetArray)) {
    out.push(value)
    return
  }
  machine.enter(2)
  for (const item of value.items) flattenDeep(machine, force(item), out)
  machine.leave(2)
}

export const arrays: Library = {
  makeArray: strict(['sz', 'func'], (machine, size, func) => {
    const count = asInteger(machine, size)
    const target = asFunction(machine, func)
    machine.spendItems(Math.max(0, count))
    return new JsonnetArray(Array.from({ length: Math.max(0, count) }, (_, index) => later(machine, target, index)))
  }),
  range: strict(['from', 'to'], (machine, first, last) => {
    const from = asInteger(machine, first)
    const count = Math.max(0, asInteger(machine, last) - from + 1)
    machine.spendItems(count)
    return new JsonnetArray(Array.from({ length: count }, (_, index) => from + index))
  }),
  repeat: strict(['what', 'count'], (machine, what, times) => {
    const count = asInteger(machine, times)
    if (typeof what === 'string') {
      machine.spendText(what.length * Math.max(0, count))
      return what.repeat(Math.max(0, count))
    }
    if (!(what instanceof JsonnetArray)) throw machine.fail('std.repeat first argument must be an array or a string')
    machine.spendItems(what.items.length * Math.max(0, count))
    return new JsonnetArray(Array.from({ length: Math.max(0, count) }, () => what.items).flat())
  }),
  slice: strict(['indexable', 'index', 'end', 'step'], (machine, value, from, to, step) =>
    slice(machine, value, [from, to, step]),
  ),
  map: strict(['func', 'arr'], (machine, func, value) => {
    const target = functionParameter(machine, 'map first', func)
    const items = elements(machine, value, (type) => `std.map second param must be array / string, got ${type}`)
    return new JsonnetArray(items.map((item) => later(machine, target, item)))
  }),
  mapWithIndex: strict(['func', 'arr'], (machine, func, value) => {
    const target = functionParameter(machine, 'mapWithIndex first', func)
    const items = elements(machine, value, (type) => `std.mapWithIndex second param must be array, got ${type}`)
    return new JsonnetArray(items.map((item, index) => later(machine, target, index, item)))
  }),
  flatMap: strict(['func', 'arr'], flatMap),
  filter: strict(['func', 'arr'], filter),
  filterMap: strict(['filter_func', 'map_func', 'arr'], (machine, keep, func, value) => {
    functionParameter(machine, 'filterMap first', keep)
    const target = functionParameter(machine, 'filterMap second', func)
    if (!(value instanceof JsonnetArray))
      throw machine.fail(`std.filterMap third param must be array, got ${typeOf(value)}`)
    return new JsonnetArray(filter(machine, keep, value).items.map((item) => later(machine, target, item)))
  }),
  foldl: strict(['func', 'arr', 'init'], (machine, func, value, init) => {
    const target = asFunction(machine, func)
    return fold(machine, 'foldl', value, init, (running, item) => call(machine, target, running, item))
  }),
  foldr: strict(['func', 'arr', 'init'], (machine, func, value, init) => {
    const target = asFunction(machine, func)
    return fold(machine, 'foldr', value, init, (running, item) => call(machine, target, item, running))
  }),
  reverse: strict(['arr'], (machine, value) => arrayOf(machine, asArray(machine, value).items.toReversed())),
  flattenArrays: strict(['arrs'], (machine, value) => {
    const out: Cell[] = []
    let sum: Value | undefined
    for (const item of elements(machine, value, (type) => `Unexpected type ${type}, expected array`)) {
      const part = force(item)
      // a sum by definition, so that a text among them makes one of all
      if (sum === undefined && part instanceof JsonnetArray) append(machine, out, part.items)
      else sum = add(machine, sum ?? new JsonnetArray(out), part)
    }
    return sum ?? new JsonnetArray(out)
  }),
  flattenDeepArray: strict(['value'], (machine, value) => {
    const out: Cell[] = []
    flattenDeep(machine, value, out)
    return new JsonnetArray(out)
  }),
  all: strict(['arr'], (machine, value) => some(machine, 'all', value, false)),
  any: strict(['arr'], (machine, value) => some(machine, 'any', value, true)),
  count: strict(['arr', 'x'], (machine, value, x) => {
    const { items } = asArray(machine, value)
    return items.filter((item) => equals(machine, force(item), x)).length
  }),
  find: strict(['value', 'arr'], (machine, x, value) => {
    if (!(value instanceof JsonnetArray))
      throw machine.fail(`find second parameter should be an array, got ${typeOf(value)}`)
    const found: number[] = []
    value.items.forEach((item, index) => {
      if (equals(machine, force(item), x)) found.push(index)
    })
    return new JsonnetArray(found)
  }),
  contains: strict(['arr', 'elem'], (machine, value, x) => indexOf(machine, asArray(machine, value).items, x) !== -1),
  member: strict(['arr', 'x'], (machine, value, x) => {
    if (value instanceof JsonnetArray) return indexOf(machine, value.items, x) !== -1
    if (typeof value !== 'string') throw machine.fail('std.member first argument must be an array or a string')
    if (typeof x !== 'string') throw wrongType(machine, x, 'string')
    machine.spendText(value.length + x.length)
    return value.includes(x)
  }),
  remove: strict(['arr', 'elem'], (machine, value, x) => {
    const array = asArray(machine, value)
    const index = indexOf(machine, array.items, x)
    return index === -1 ? array : without(machine, array, index)
  }),
  removeAt: strict(['arr', 'i'], (machine, value, i) =>
    without(machine, asArray(machine, value), asInteger(machine, i)),
  ),
  sum: strict(['arr'], (machine, value) => sum(machine, value)),
  avg: strict(['arr'], (machine, value) => {
    const { length } = asArray(machine, value).items
    if (length === 0) throw machine.fail('Cannot calculate average of an empty array.')
    return sum(machine, value) / length
  }),
}

function sum(machine: Machine, value: Value): number {
  const { items } = asArray(machine, value)
  machine.spend(items.length)
  return items.reduce<number>((total, item) => total + asNumber(machine, force(item)), 0)
}
