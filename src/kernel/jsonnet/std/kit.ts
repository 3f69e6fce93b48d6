import { call } from '../calls.ts'
import type { Machine } from '../machine.ts'
import { wrongType } from '../operators.ts'
import { type Cell, force, JsonnetArray, JsonnetFunction, JsonnetObject, Parameters, type Value } from '../values.ts'

/** Functions of `std` by name. */
export type Library = Readonly<Record<string, JsonnetFunction>>

/** A parameter by name, or with the value it has when it is not given. */
export type ParameterSpec = string | readonly [name: string, fallback: Value]

const parametersOf = (specs: readonly ParameterSpec[]) =>
  new Parameters(
    specs.map((spec) => {
      if (typeof spec === 'string') return { name: spec, fallback: undefined }
      const [name, value] = spec
      return { name, fallback: { height: 1, run: () => value } }
    }),
  )

/** A function that evaluates all its arguments first. */
export function strict(
  specs: readonly ParameterSpec[],
  run: (machine: Machine, ...values: [Value, Value, Value, Value, Value]) => Value,
): JsonnetFunction {
  return new JsonnetFunction(parametersOf(specs), {
    native: (machine, args) => run(machine, ...(args.map(force) as [Value, Value, Value, Value, Value])),
  })
}

/** A function that evaluates only the arguments that it needs. */
export function lazy(
  specs: readonly ParameterSpec[],
  run: (machine: Machine, ...cells: [Cell, Cell, Cell, Cell]) => Value,
): JsonnetFunction {
  return new JsonnetFunction(parametersOf(specs), {
    native: (machine, args) => run(machine, ...(args as [Cell, Cell, Cell, Cell])),
  })
}

export const identity = strict(['x'], (_, x) => x)

export function asText(machine: Machine, value: Value): string {
  if (typeof value !== 'string') throw wrongType(machine, value, 'string')
  return value
}

export function asNumber(machine: Machine, value: Value): number {
  if (typeof value !== 'number') throw wrongType(machine, value, 'number')
  return value
}

export function asInteger(machine: Machine, value: Value): number {
  const number = asNumber(machine, value)
  if ((number | 0) !== number) throw machine.fail(`Expected an integer, but got ${number}`)
  return number
}

export function asBoolean(machine: Machine, value: Value): boolean {
  if (typeof value !== 'boolean') throw wrongType(machine, value, 'boolean')
  return value
}

export function asArray(machine: Machine, value: Value): JsonnetArray {
  if (!(value instanceof JsonnetArray)) throw wrongType(machine, value, 'array')
  return value
}

export function asObject(machine: Machine, value: Value): JsonnetObject {
  if (!(value instanceof JsonnetObject)) throw wrongType(machine, value, 'object')
  return value
}

export function asFunction(machine: Machine, value: Value): JsonnetFunction {
  if (!(value instanceof JsonnetFunction)) throw wrongType(machine, value, 'function')
  return value
}

/** An array whose elements are there already. */
export function arrayOf(machine: Machine, cells: readonly Cell[]): JsonnetArray {
  machine.spendItems(cells.length)
  return new JsonnetArray(cells)
}

/** Applies a key function, or nothing. */
export function keyed(machine: Machine, key: JsonnetFunction, cell: Cell): Value {
  return key === identity ? force(cell) : call(machine, key, cell)
}
