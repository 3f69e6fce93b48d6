import type { Place } from '../errors.ts'

/** A number as it is written: which types it can be depends on where it stands. */
export interface NumberLiteral {
  type: 'number'
  at: Place
  /** Set when its value is whole. */
  int?: bigint
  uint?: bigint
  float?: number
  /** Written with a point or an exponent: a float64 where any type will do. */
  looksFloat: boolean
}

export type Expression =
  | { type: 'dot'; at: Place }
  | { type: 'nil'; at: Place }
  | { type: 'bool'; at: Place; value: boolean }
  | { type: 'string'; at: Place; value: string }
  | NumberLiteral
  | { type: 'field'; at: Place; names: string[] }
  | { type: 'variable'; at: Place; name: string; names: string[] }
  | { type: 'function'; at: Place; name: string }
  | { type: 'chain'; at: Place; of: Expression; names: string[] }
  | Pipe

export interface Command {
  at: Place
  args: Expression[]
}

/** `$a, $b := command | command` */
export interface Pipe {
  type: 'pipe'
  at: Place
  variables: string[]
  /** `=` instead of `:=` */
  assigns: boolean
  commands: Command[]
}

export interface Branch {
  type: 'if' | 'with' | 'range'
  at: Place
  pipe: Pipe
  body: Node[]
  otherwise?: Node[]
}

export type Node =
  | { type: 'text'; at: Place; text: string }
  | { type: 'action'; at: Place; pipe: Pipe }
  | { type: 'template'; at: Place; name: string; pipe?: Pipe }
  | { type: 'break' | 'continue'; at: Place }
  | Branch
