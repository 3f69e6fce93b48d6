import type { Random } from '../crypto/tokens.ts'

const FIRST_MS = 1000

/**
 * The pause before the next try, in milliseconds: it grows by `growth` with each, up to `maxMs`, and a random part between half
 * and all of it is taken, so that messages that failed together are not tried again together.
 * @param attempts tries so far
 */
export function pauseMs(attempts: number, maxMs: number, random: Random, growth = 2): number {
  const full = Math.min(maxMs, FIRST_MS * growth ** Math.min(attempts - 1, 40))
  const chance = random(4).readUInt32BE() / 2 ** 32
  return Math.round(full * (0.5 + chance / 2))
}
