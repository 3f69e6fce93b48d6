/**
 * Bytes of UTF-8 of either text. The comparison costs length times length; longer ones are not compared, as in Kratos.
 */
const MAX_LENGTH = 256

/**
 * Kratos's rule, ignoring case: fewer than five edits apart, or a common part of more than half of the
 * password. Counted in code points; Kratos counts bytes in places, so for non-ASCII text this finds a little more.
 */
export function isTooSimilar(identifier: string, password: string): boolean {
  const [a, b] = [identifier.toLowerCase(), password.toLowerCase()]
  if (a === '' || b === '' || Buffer.byteLength(a) > MAX_LENGTH || Buffer.byteLength(b) > MAX_LENGTH) return false
  const [left, right] = [Array.from(a), Array.from(b)]
  return editDistance(left, right) < 5 || longestCommonStretch(left, right) / right.length > 0.5
}

function editDistance(a: readonly string[], b: readonly string[]): number {
  let above = b.map((_, i) => i + 1)
  for (const [y, letter] of a.entries()) {
    const row: number[] = []
    for (const [x, other] of b.entries()) {
      const diagonal = x === 0 ? y : above[x - 1]!
      const left = x === 0 ? y + 1 : row[x - 1]!
      row.push(letter === other ? diagonal : 1 + Math.min(diagonal, left, above[x]!))
    }
    above = row
  }
  return above[b.length - 1]!
}

function longestCommonStretch(a: readonly string[], b: readonly string[]): number {
  let longest = 0
  let above = b.map(() => 0)
  for (const letter of a) {
    above = b.map((other, x) => (letter === other ? 1 + (x === 0 ? 0 : above[x - 1]!) : 0))
    longest = Math.max(longest, ...above)
  }
  return longest
}
