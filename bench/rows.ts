/**
 * Which sessions a run may use. The server has the lower half of the table and bare SQL the upper one. In each half
 * every fourth session is only read, and the others are there to be ended, each once; both lie all over the half.
 */
export interface Half {
  first: number
  size: number
}

/** A prime: its multiples visit every place once before they repeat, far from one another. */
export const STRIDE = 7919

export const halvesOf = (sessions: number): { server: Half; bare: Half } => {
  const size = Math.floor(sessions / 2)
  return { server: { first: 1, size }, bare: { first: size + 1, size } }
}

/** Groups of four sessions. Never a multiple of the stride, which would visit a part of them only. */
export function groupsOf({ size }: Half): number {
  const groups = Math.floor(size / 4)
  return groups % STRIDE === 0 ? groups - 1 : groups
}

/** How many sessions of a half may be ended. */
export const endableOf = (half: Half) => groupsOf(half) * 3

/** The session that the `k`th request reads; the same one comes again after a while. */
export const readRow = (half: Half, k: number) => half.first + 4 * ((k * STRIDE) % groupsOf(half))

/** The `k`th session to end, from 0 to `endableOf` - 1: a different one each time. */
export function endRow(half: Half, k: number): number {
  const place = (k * STRIDE) % endableOf(half)
  return half.first + 4 * Math.floor(place / 3) + 1 + (place % 3)
}
