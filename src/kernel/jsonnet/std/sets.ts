import type { Machine } from '../machine.ts'
import { compare, equals } from '../operators.ts'
import { type Cell, force, JsonnetArray, type JsonnetFunction, type Value } from '../values.ts'
import { elements } from './arrays.ts'
import { arrayOf, asArray, asFunction, identity, keyed, type Library, lazy, strict } from './kit.ts'

const KEY = ['keyF', identity] as const

interface Keyed {
  cell: Cell
  key: Value
}

function withKeys(machine: Machine, array: Value, key: Value): Keyed[] {
  const by = asFunction(machine, key)
  machine.spendItems(asArray(machine, array).items.length)
  return asArray(machine, array).items.map((cell) => ({ cell, key: keyed(machine, by, cell) }))
}

const bare = (machine: Machine, entries: Keyed[]) =>
  arrayOf(
    machine,
    entries.map(({ cell }) => cell),
  )

/** Stable. */
const sorted = (machine: Machine, entries: Keyed[]) => entries.sort((a, b) => compare(machine, a.key, b.key))

const unique = (machine: Machine, entries: Keyed[]) =>
  entries.filter(({ key }, index) => index === 0 || !equals(machine, entries[index - 1]!.key, key))

/** Walks over two sorted lists at once. @param keep which of: only left, in both (the left one is taken), only right */
function merge(machine: Machine, left: Keyed[], right: Keyed[], keep: [boolean, boolean, boolean]): JsonnetArray {
  const out: Keyed[] = []
  let [i, j] = [0, 0]
  while (i < left.length && j < right.length) {
    const [a, b] = [left[i]!, right[j]!]
    const order = equals(machine, a.key, b.key) ? 0 : compare(machine, a.key, b.key)
    if (keep[order < 0 ? 0 : order === 0 ? 1 : 2]) out.push(order <= 0 ? a : b)
    if (order <= 0) i += 1
    if (order >= 0) j += 1
  }
  if (keep[0]) for (const entry of left.slice(i)) out.push(entry)
  if (keep[2]) for (const entry of right.slice(j)) out.push(entry)
  return bare(machine, out)
}

const operation = (keep: [boolean, boolean, boolean]) =>
  strict(['a', 'b', KEY], (machine, a, b, key) =>
    merge(machine, withKeys(machine, asSet(machine, a), key), withKeys(machine, asSet(machine, b), key), keep),
  )

/** A text is a set of its characters. */
const asSet = (machine: Machine, value: Value) =>
  new JsonnetArray(elements(machine, value, (type) => `Unexpected type ${type}`))

const extreme = (sign: 1 | -1) =>
  lazy(['arr', KEY, ['onEmpty', null]], (machine, array, key, onEmpty) => {
    const by: JsonnetFunction = asFunction(machine, force(key))
    const entries = withKeys(machine, force(array), by)
    if (entries.length === 0) return onEmptyOf(machine, onEmpty)
    return force(
      entries.reduce((best, entry) => (compare(machine, entry.key, best.key) * sign > 0 ? entry : best)).cell,
    )
  })

function onEmptyOf(machine: Machine, onEmpty: Cell): Value {
  const value = force(onEmpty)
  if (value === null) throw machine.fail('Expected at least one element in array. Got none')
  return value
}

export const sets: Library = {
  sort: strict(['arr', KEY], (machine, array, key) => bare(machine, sorted(machine, withKeys(machine, array, key)))),
  uniq: strict(['arr', KEY], (machine, value, key) => {
    const items = elements(machine, value, (type) => `uniq second parameter should be string or array, got ${type}`)
    // a lone element is compared with nothing, so its key is not asked for
    if (items.length < 2) return arrayOf(machine, items)
    return bare(machine, unique(machine, withKeys(machine, new JsonnetArray(items), key)))
  }),
  set: strict(['arr', KEY], (machine, array, key) =>
    bare(machine, unique(machine, sorted(machine, withKeys(machine, array, key)))),
  ),
  setUnion: operation([true, true, true]),
  setInter: operation([false, true, false]),
  setDiff: operation([true, false, false]),
  setMember: strict(['x', 'arr', KEY], (machine, x, array, key) => {
    const only = withKeys(machine, new JsonnetArray([x]), key)
    return merge(machine, only, withKeys(machine, asSet(machine, array), key), [false, true, false]).items.length > 0
  }),
  minArray: extreme(-1),
  maxArray: extreme(1),
}
