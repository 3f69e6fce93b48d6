const SPACE = /^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/

/** What Go's unicode package calls space: other than JavaScript's, U+0085 is and U+FEFF is not. */
export function isSpace(char: string | undefined): boolean {
  return char !== undefined && SPACE.test(char)
}

/** One character for one: `ß` has no capital letter of its own and stays. */
export function upper(text: string): string {
  return mapped(text, (char) => char.toUpperCase())
}

export function lower(text: string): string {
  return mapped(text, (char) => (char === 'İ' ? 'i' : char.toLowerCase()))
}

function mapped(text: string, map: (char: string) => string): string {
  let out = ''
  for (const char of text) {
    const other = map(char)
    out += other.length === String.fromCodePoint(other.codePointAt(0)!).length ? other : char
  }
  return out
}

export function isUpper(char: string): boolean {
  return /^\p{Lu}$/u.test(char)
}

export function isLower(char: string): boolean {
  return /^\p{Ll}$/u.test(char)
}

export function trimSpace(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && isSpace(text[start])) start++
  while (end > start && isSpace(text[end - 1])) end--
  return text.slice(start, end)
}

/** Without the characters of a set at both ends. */
export function trimSet(text: string, set: string): string {
  const cut = new Set(set)
  const chars = [...text]
  let [start, end] = [0, chars.length]
  while (start < end && cut.has(chars[start]!)) start++
  while (end > start && cut.has(chars[end - 1]!)) end--
  return chars.slice(start, end).join('')
}
