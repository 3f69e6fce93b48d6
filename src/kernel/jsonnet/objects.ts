import type { Location } from './errors.ts'
import type { Machine } from './machine.ts'
import type { Visibility } from './syntax/ast.ts'
import { compareText } from './text.ts'
import { type Body, type Cell, Env, type Field, force, JsonnetObject, Thunk, type Value } from './values.ts'

/**
 * The value of a field of an object, or of what lies below one of its layers (`super`).
 *
 * @param from the topmost layer that is looked at
 */
export function getField(
  machine: Machine,
  object: JsonnetObject,
  name: string,
  location?: Location,
  from?: number,
): Value {
  checkAsserts(machine, object)
  const top = from ?? object.layers.length - 1
  if (top < 0) throw machine.fail('Attempt to use super when there is no super class.', location)
  for (let index = top; index >= 0; index -= 1) {
    const field = object.layers[index]!.fields.get(name)
    if (field) {
      if (top - index > 8) machine.spend((top - index) >> 3)
      return fieldValue(machine, object, index, name, field)
    }
  }
  throw machine.fail(`Field does not exist: ${name}`, location)
}

export function hasField(object: JsonnetObject, name: string, from = object.layers.length - 1): boolean {
  for (let index = from; index >= 0; index -= 1) if (object.layers[index]!.fields.has(name)) return true
  return false
}

function fieldValue(machine: Machine, object: JsonnetObject, index: number, name: string, field: Field): Value {
  if ('cell' in field.value) return force(field.value.cell)
  object.values[index] ??= new Map()
  const values = object.values[index]
  const known = values.get(name)
  if (known !== undefined) return known
  const { body, env } = field.value
  machine.enter(body.height)
  const value = body.run(env ? bind(env, object, index) : layerEnv(object, index))
  machine.leave(body.height)
  values.set(name, value)
  return value
}

/** What the fields of a layer see: the object that they are part of now, and the locals between the braces. */
function layerEnv(object: JsonnetObject, index: number): Env {
  object.envs[index] ??= bind(object.layers[index]!.env!, object, index)
  return object.envs[index]
}

function bind(env: Env, object: JsonnetObject, index: number): Env {
  const cells: Cell[] = []
  const inner = new Env(env.machine, env, cells, object, index)
  env.machine.spend(object.layers[index]!.locals.length)
  for (const local of object.layers[index]!.locals) cells.push(new Thunk(local, inner))
  return inner
}

/** They may read the object that they are part of, so it counts as checked while they run. */
export function checkAsserts(machine: Machine, object: JsonnetObject): void {
  if (object.asserted) return
  object.asserted = true
  for (let index = object.layers.length - 1; index >= 0; index -= 1)
    for (const body of object.layers[index]!.asserts) runAssert(machine, body, layerEnv(object, index))
}

function runAssert(machine: Machine, body: Body, env: Env): void {
  machine.enter(body.height)
  body.run(env)
  machine.leave(body.height)
}

/** Of all fields, by name. */
export function visibilities(machine: Machine, object: JsonnetObject): ReadonlyMap<string, Visibility> {
  if (object.visibilities) return object.visibilities
  const all = new Map<string, Visibility>()
  for (const { fields } of object.layers) {
    machine.spend(fields.size)
    for (const [name, { visibility }] of fields) if (visibility !== 0 || !all.has(name)) all.set(name, visibility)
  }
  object.visibilities = all
  return all
}

/** Sorted. */
export function fieldNames(machine: Machine, object: JsonnetObject, hidden = false): string[] {
  const names: string[] = []
  machine.spend(visibilities(machine, object).size)
  for (const [name, visibility] of visibilities(machine, object)) if (hidden || visibility !== 1) names.push(name)
  machine.spend(names.length * Math.ceil(Math.log2(names.length + 1)))
  return names.sort(compareText)
}

/** An object of values that are there already. */
export function objectOf(entries: Iterable<readonly [string, Cell]>): JsonnetObject {
  const fields = new Map<string, Field>()
  for (const [name, cell] of entries) fields.set(name, { visibility: 0, value: { cell } })
  return new JsonnetObject([{ fields, env: null, locals: [], asserts: [] }])
}
