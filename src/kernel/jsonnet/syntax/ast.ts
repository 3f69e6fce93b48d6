import type { Location } from '../errors.ts'

export type BinaryOperator =
  | '*' | '/' | '%' | '+' | '-' | '<<' | '>>' | '<' | '<=' | '>' | '>=' | 'in' | '==' | '!=' | '&' | '^' | '|' | '&&' | '||' // biome-ignore format: one line

export type UnaryOperator = '!' | '~' | '+' | '-'

/** 0 shown as the field below shows it (`:`), 1 hidden (`::`), 2 shown (`:::`) */
export type Visibility = 0 | 1 | 2

export interface Bind {
  name: string
  value: Node
}

export interface Parameter {
  name: string
  fallback: Node | undefined
}

export interface Argument {
  name: string | undefined
  value: Node
}

export interface FieldNode {
  /** an expression that makes a string, or null for no field */
  name: Node
  /** written as `[e]` */
  computed: boolean
  visibility: Visibility
  /** `+:` */
  plus: boolean
  value: Node
}

export interface AssertNode {
  condition: Node
  message: Node | undefined
  location: Location
}

export interface ForSpec {
  variable: string
  list: Node
  conditions: Node[]
}

export interface ObjectBody {
  fields: FieldNode[]
  locals: Bind[]
  asserts: AssertNode[]
}

type Shape =
  | { type: 'literal'; value: null | boolean | number | string }
  | { type: 'variable'; name: string }
  | { type: 'self' }
  | { type: 'dollar' }
  | { type: 'super'; name: Node }
  | { type: 'inSuper'; name: Node }
  | { type: 'array'; items: Node[] }
  | { type: 'arrayFor'; item: Node; specs: ForSpec[] }
  | { type: 'object'; body: ObjectBody }
  | { type: 'objectFor'; field: FieldNode; locals: Bind[]; specs: ForSpec[] }
  | { type: 'index'; target: Node; key: Node }
  | { type: 'slice'; target: Node; from: Node | undefined; to: Node | undefined; step: Node | undefined }
  | { type: 'call'; target: Node; arguments: Argument[]; strict: boolean }
  | { type: 'unary'; operator: UnaryOperator; operand: Node }
  | { type: 'binary'; operator: BinaryOperator; left: Node; right: Node }
  | { type: 'if'; condition: Node; then: Node; otherwise: Node | undefined }
  | { type: 'local'; binds: Bind[]; body: Node }
  | { type: 'function'; parameters: Parameter[]; body: Node }
  | { type: 'assert'; condition: Node; message: Node | undefined; rest: Node }
  | { type: 'error'; message: Node }
  | { type: 'import'; file: string }

/** An expression. Its height bounds how deep any walk over it goes. */
export type Node = Shape & { location: Location; height: number }
export type { Shape }
