import type { Machine } from './machine.ts'
import type { Visibility } from './syntax/ast.ts'

/** What a program computes with. Text is well-formed UTF-16 and counted by code point. */
export type Value = null | boolean | number | string | JsonnetArray | JsonnetObject | JsonnetFunction

/** A value, or one that is computed when it is asked for. */
export type Cell = Value | Thunk

/** Compiled code and how many calls of JavaScript it takes at most, before it enters a body again. */
export interface Body {
  run: (env: Env) => Value
  height: number
}

/** Where a body runs: its variables, those around it, and the object that it belongs to. */
export class Env {
  readonly machine: Machine
  readonly parent: Env | null
  readonly cells: Cell[]
  readonly self: JsonnetObject | null
  /** where in the object's layers the body was written: `super` is what lies below */
  readonly layer: number

  constructor(machine: Machine, parent: Env | null, cells: Cell[], self: JsonnetObject | null, layer: number) {
    this.machine = machine
    this.parent = parent
    this.cells = cells
    this.self = self
    this.layer = layer
  }

  /** An environment inside this one, of the same object. */
  inner(cells: Cell[]): Env {
    return new Env(this.machine, this, cells, this.self, this.layer)
  }
}

export class Thunk {
  #body: Body | null
  #env: Env | null
  #value: Value = null

  constructor(body: Body, env: Env) {
    this.#body = body
    this.#env = env
  }

  force(): Value {
    const body = this.#body
    const env = this.#env
    if (body === null || env === null) return this.#value
    env.machine.enter(body.height)
    this.#value = body.run(env)
    env.machine.leave(body.height)
    this.#body = null
    this.#env = null
    return this.#value
  }
}

export const force = (cell: Cell): Value => (cell instanceof Thunk ? cell.force() : cell)

export class JsonnetArray {
  readonly items: readonly Cell[]

  constructor(items: readonly Cell[]) {
    this.items = items
  }
}

export interface FunctionParameter {
  name: string
  /** undefined: must be given */
  fallback: Body | undefined
}

export class Parameters {
  readonly list: readonly FunctionParameter[]
  readonly places: ReadonlyMap<string, number>

  constructor(list: readonly FunctionParameter[]) {
    this.list = list
    this.places = new Map(list.map(({ name }, index) => [name, index]))
  }
}

/** What a function runs. */
export type FunctionCode = { body: Body; env: Env } | { native: (machine: Machine, args: Cell[]) => Value }

/** A function of a program, or one of the library. */
export class JsonnetFunction {
  readonly parameters: Parameters
  readonly code: FunctionCode

  constructor(parameters: Parameters, code: FunctionCode) {
    this.parameters = parameters
    this.code = code
  }
}

export interface Field {
  visibility: Visibility
  /** env: set where fields of one layer were written in different environments (comprehensions) */
  value: { cell: Cell } | { body: Body; env: Env | undefined }
}

/** One `{…}` as it was evaluated: an object is a pile of them, the last one wins. */
export interface Layer {
  fields: Map<string, Field>
  /** environment around the braces; null where all fields are cells */
  env: Env | null
  locals: readonly Body[]
  asserts: readonly Body[]
}

export class JsonnetObject {
  readonly layers: readonly Layer[]
  /** what the fields of a layer see, made once */
  readonly envs: (Env | undefined)[] = []
  /** values by layer and name */
  readonly values: (Map<string, Value> | undefined)[] = []
  asserted = false
  visibilities: Map<string, Visibility> | undefined

  constructor(layers: readonly Layer[]) {
    this.layers = layers
  }
}

export type TypeName = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object' | 'function'

export function typeOf(value: Value): TypeName {
  if (value === null) return 'null'
  if (value instanceof JsonnetArray) return 'array'
  if (value instanceof JsonnetObject) return 'object'
  if (value instanceof JsonnetFunction) return 'function'
  return typeof value as 'boolean' | 'number' | 'string'
}
