/** What the lexer hands to the parser. */
export type TokenKind = 'identifier' | 'keyword' | 'number' | 'string' | 'operator' | 'end'

export interface Token {
  kind: TokenKind
  /** as written; of a string its value, escapes resolved */
  text: string
  /** offset of the first UTF-16 unit, and of the one after the last */
  at: number
  end: number
  /** a string between `|||` */
  block?: boolean
}

export const KEYWORDS: ReadonlySet<string> = new Set(
  'assert else error false for function if import importstr importbin in local null self super tailstrict then true'.split(
    ' ',
  ),
)

/** How a token is named in messages. */
export function showToken(token: Token): string {
  if (token.kind === 'end') return 'end of file'
  return token.kind === 'string' ? 'a string' : `"${token.text}"`
}
