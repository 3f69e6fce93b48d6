export type TokenType =
  | 'assign'
  | 'bool'
  | 'char'
  | 'comma'
  | 'declare'
  | 'dot'
  | 'end of text'
  | 'field'
  | 'identifier'
  | 'keyword'
  | 'left'
  | 'number'
  | 'open'
  | 'close'
  | 'other'
  | 'pipe'
  | 'right'
  | 'space'
  | 'string'
  | 'text'
  | 'variable'
  | 'error'

export interface Token {
  type: TokenType
  /** As it is written; what is wrong, for an error. */
  text: string
  line: number
}

export const KEYWORDS = new Set([
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'nil',
  'range',
  'template',
  'with',
])
