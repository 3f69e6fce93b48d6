import type { Machine } from '../machine.ts'
import { fieldNames, getField, objectOf, visibilities } from '../objects.ts'
import { type Cell, Env, force, JsonnetArray, JsonnetObject, Thunk, typeOf, type Value } from '../values.ts'
import { later } from './arrays.ts'
import { arrayOf, asBoolean, asFunction, asObject, asText, type Library, lazy, strict } from './kit.ts'

/** The value of a field, when it is asked for. */
export function fieldLater(machine: Machine, object: JsonnetObject, name: string): Thunk {
  machine.spend(3)
  const run = () => getField(machine, object, name)
  return new Thunk({ height: 3, run }, new Env(machine, null, [], null, 0))
}

function has(machine: Machine, object: Value, name: Value, hidden: boolean): boolean {
  const visibility = visibilities(machine, asObject(machine, object)).get(asText(machine, name))
  return visibility !== undefined && (hidden || visibility !== 1)
}

const fields = (machine: Machine, object: Value, hidden: boolean) =>
  fieldNames(machine, asObject(machine, object), hidden)

function values(machine: Machine, object: Value, hidden: boolean): JsonnetArray {
  const of = asObject(machine, object)
  return arrayOf(
    machine,
    fields(machine, of, hidden).map((name) => fieldLater(machine, of, name)),
  )
}

function keysValues(machine: Machine, object: Value, hidden: boolean): JsonnetArray {
  const of = asObject(machine, object)
  return arrayOf(
    machine,
    fields(machine, of, hidden).map((name) =>
      objectOf([
        ['key', name],
        ['value', fieldLater(machine, of, name)],
      ]),
    ),
  )
}

/** RFC 7396. What the target has is not looked at where the patch decides. */
function mergePatch(machine: Machine, target: Cell, patch: Value): Value {
  if (!(patch instanceof JsonnetObject)) return patch
  const base = force(target)
  const merged = new Map<string, Cell>()
  if (base instanceof JsonnetObject)
    for (const name of fieldNames(machine, base)) merged.set(name, fieldLater(machine, base, name))
  machine.enter(4)
  for (const name of fieldNames(machine, patch)) {
    const before = merged.get(name) ?? null
    if (getField(machine, patch, name) === null) merged.delete(name)
    else merged.set(name, mergeLater(machine, before, fieldLater(machine, patch, name)))
  }
  machine.leave(4)
  return objectOf(merged)
}

function mergeLater(machine: Machine, target: Cell, patch: Cell): Thunk {
  const run = () => mergePatch(machine, target, force(patch))
  return new Thunk({ height: 4, run }, new Env(machine, null, [], null, 0))
}

/** Without nulls, empty arrays and empty objects, however deep. */
function prune(machine: Machine, value: Value): Value {
  machine.spend(1)
  if (!(value instanceof JsonnetArray || value instanceof JsonnetObject)) return value
  machine.enter(5)
  const kept: [string, Value][] = []
  const add = (name: string, entry: Value) => {
    const pruned = prune(machine, entry)
    if (hasContent(machine, pruned)) kept.push([name, pruned])
  }
  if (value instanceof JsonnetArray) for (const item of value.items) add('', force(item))
  else for (const name of fieldNames(machine, value)) add(name, getField(machine, value, name))
  machine.leave(5)
  return value instanceof JsonnetArray ? new JsonnetArray(kept.map(([, entry]) => entry)) : objectOf(kept)
}

function hasContent(machine: Machine, value: Value): boolean {
  if (value instanceof JsonnetArray) return value.items.length > 0
  if (value instanceof JsonnetObject) return fieldNames(machine, value).length > 0
  return value !== null
}

export const objects: Library = {
  objectFieldsEx: strict(['obj', 'hidden'], (machine, object, hidden) =>
    arrayOf(machine, fields(machine, object, asBoolean(machine, hidden))),
  ),
  objectFields: strict(['o'], (machine, object) => arrayOf(machine, fields(machine, object, false))),
  objectFieldsAll: strict(['o'], (machine, object) => arrayOf(machine, fields(machine, object, true))),
  objectHasEx: strict(['obj', 'fname', 'hidden'], (machine, object, name, hidden) =>
    has(machine, object, name, asBoolean(machine, hidden)),
  ),
  objectHas: strict(['o', 'f'], (machine, object, name) => has(machine, object, name, false)),
  objectHasAll: strict(['o', 'f'], (machine, object, name) => has(machine, object, name, true)),
  objectValues: strict(['o'], (machine, object) => values(machine, object, false)),
  objectValuesAll: strict(['o'], (machine, object) => values(machine, object, true)),
  objectKeysValues: strict(['o'], (machine, object) => keysValues(machine, object, false)),
  objectKeysValuesAll: strict(['o'], (machine, object) => keysValues(machine, object, true)),
  objectRemoveKey: strict(['obj', 'key'], (machine, object, key) => {
    const of = asObject(machine, object)
    const gone = asText(machine, key)
    const left = fieldNames(machine, of).filter((name) => name !== gone)
    return objectOf(left.map((name) => [name, fieldLater(machine, of, name)]))
  }),
  get: lazy(['o', 'f', ['default', null], ['inc_hidden', true]], (machine, object, field, fallback, hidden) => {
    const [of, name] = [force(object), force(field)]
    if (!has(machine, of, name, asBoolean(machine, force(hidden)))) return force(fallback)
    return getField(machine, asObject(machine, of), asText(machine, name))
  }),
  mapWithKey: strict(['func', 'obj'], (machine, func, object) => {
    if (typeOf(func) !== 'function')
      throw machine.fail(`std.mapWithKey first param must be function, got ${typeOf(func)}`)
    if (!(object instanceof JsonnetObject))
      throw machine.fail(`std.mapWithKey second param must be object, got ${typeOf(object)}`)
    const target = asFunction(machine, func)
    const names = fieldNames(machine, object)
    return objectOf(names.map((name) => [name, later(machine, target, name, fieldLater(machine, object, name))]))
  }),
  mergePatch: lazy(['target', 'patch'], (machine, target, patch) => mergePatch(machine, target, force(patch))),
  prune: strict(['a'], prune),
}
