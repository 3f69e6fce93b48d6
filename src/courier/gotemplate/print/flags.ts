/** What stands between `%` and the verb. */
export interface Flags {
  plus: boolean
  minus: boolean
  sharp: boolean
  space: boolean
  zero: boolean
  width?: number
  precision?: number
}

export const NO_FLAGS: Flags = { plus: false, minus: false, sharp: false, space: false, zero: false }

/** Fills up to the width, counted in characters. */
export function pad(text: string, { width, minus, zero }: Flags): string {
  if (width === undefined || width === 0) return text
  // a text of n halves has at least n/2 characters
  const missing = width - (text.length > 2 * width ? width : [...text].length)
  if (missing <= 0) return text
  return minus ? text + ' '.repeat(missing) : (zero ? '0' : ' ').repeat(missing) + text
}
