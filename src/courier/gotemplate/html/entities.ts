/** Entities that change how a value is read; any other stands for a letter or sign that does not. */
const NAMED: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  colon: ':',
  sol: '/',
  bsol: '\\',
  num: '#',
  quest: '?',
  equals: '=',
  lpar: '(',
  rpar: ')',
  lbrace: '{',
  rbrace: '}',
  lcub: '{',
  rcub: '}',
  lbrack: '[',
  rbrack: ']',
  lsqb: '[',
  rsqb: ']',
  semi: ';',
  comma: ',',
  period: '.',
  percnt: '%',
  plus: '+',
  excl: '!',
  ast: '*',
  midast: '*',
  grave: '`',
  dollar: '$',
  commat: '@',
  Tab: '\t',
  NewLine: '\n',
  nbsp: '\u00a0',
}

/** The text of a literal value as a browser reads it. */
export function unescapeEntities(text: string): string {
  return text.replace(
    /&(?:#(?:[xX]([0-9a-fA-F]{1,6})|([0-9]{1,7}));?|([a-zA-Z]{2,8});?)/g,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return Object.hasOwn(NAMED, name) ? NAMED[name]! : whole
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
      return code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? '\ufffd' : String.fromCodePoint(code)
    },
  )
}
