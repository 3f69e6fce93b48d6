import type { Location } from '../errors.ts'

/** A number as it is written: which types it can be depends on where it stands. */
export interface NumberLiteral {
  type: 'number'
  at: Location
  /** Set when its value is whole. */
  int?: bigint
  uint?: bigint
  float?: number
  /** Written with a point or an exponent: a float64 where any type will do. */
  looksFloat: boolean
}

export type Expression =
  | { type: 'dot'; at: Location }
  | { type: 'nil'; at: Location }
  | { type: 'bool'; at: Location; value: boolean }
  | { type: 'string'; at: Location; value: string }
  | NumberLiteral
  | { type: 'field'; at: Location; names: string[] }
  | { type: 'variable'; at: Location; name: string; names: string[] }
  | { type: 'function'; at: Location; name: string }
  | { type: 'chain'; at: Location; of: Expression; names: string[] }
  | Pipe

export interface Command {
  at: Location
  args: Expression[]
}

/** `$a, $b := command | command` */
export interface Pipe {
  type: 'pipe'
  at: Location
  variables: string[]
  /** `=` instead of `:=` */
  assigns: boolean
  commands: Command[]
}

export interface Branch {
  type: 'if' | 'with' | 'range'
  at: Location
  pipe: Pipe
  body: Node[]
  otherwise?: Node[]
}

export type Node =
  | { type: 'text'; at: Location; text: string }
  | { type: 'action'; at: Location; pipe: Pipe }
  | { type: 'template'; at: Location; name: string; pipe?: Pipe }
  | { type: 'break' | 'continue'; at: Location }
  | Branch
