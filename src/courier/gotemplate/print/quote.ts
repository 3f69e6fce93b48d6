const SHORT: Record<string, string> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
}

/** Whether Go prints a character as it is. */
export function isPrintable(char: string): boolean {
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char)
}

/** A text in quotes, as Go writes it in a program. */
export function quote(text: string, asciiOnly = false, mark = '"'): string {
  let out = mark
  for (const char of text) {
    const code = char.codePointAt(0)!
    if (char === mark) out += `\\${mark}`
    else if (SHORT[char]) out += SHORT[char]
    else if (code < 0x7f && code >= 0x20) out += char
    else if (!asciiOnly && isPrintable(char)) out += char
    else if (code < 0x20 || code === 0x7f) out += `\\x${hex(code, 2)}`
    else out += code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`
  }
  return out + mark
}

export function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
