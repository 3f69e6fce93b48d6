import type { Location } from './errors.ts'
import type { Machine } from './machine.ts'
import { wrongType } from './operators.ts'
import { slicePoints, splitPoints, textLength } from './text.ts'
import { type Cell, JsonnetArray, typeOf, type Value } from './values.ts'

/** `value[from:to:step]`, of an array or a text. Null stands for what was left out; negative ends count from the end. */
export function slice(machine: Machine, value: Value, bounds: [Value, Value, Value], location?: Location): Value {
  const [from, to, step] = bounds.map((bound) => {
    if (bound !== null && typeof bound !== 'number') throw wrongType(machine, bound, 'number', location)
    return bound
  }) as [number | null, number | null, number | null]
  const text = typeof value === 'string'
  if (!text && !(value instanceof JsonnetArray))
    throw machine.fail(`std.slice accepts a string or an array, but got: ${typeOf(value)}`, location)
  const length = text ? textLength(machine, value) : value.items.length
  const start = from === null ? 0 : from < 0 ? Math.max(0, length + from) : from
  const end = Math.min(length, to === null ? length : to < 0 ? length + to : to)
  const by = step ?? 1
  if (by < 0) throw machine.fail(`got [${start}:${end}:${by}] but negative steps are not supported`, location)
  if (by === 0) throw machine.fail('got 0 but step must be greater than 0', location)
  if (by === 1 && Number.isInteger(start)) {
    if (text) return end <= start ? '' : slicePoints(machine, value, start, Math.ceil(end))
    machine.spendItems(Math.max(0, Math.ceil(end - start)))
    return new JsonnetArray(end <= start ? [] : value.items.slice(start, Math.ceil(end)))
  }
  const source: readonly Cell[] = text ? splitPoints(machine, value) : value.items
  machine.spendItems(Math.max(0, Math.ceil((end - start) / by)))
  const picked: Cell[] = []
  for (let at = start; at < end; at += by) picked.push(source[Math.trunc(at)]!)
  return text ? picked.join('') : new JsonnetArray(picked)
}
