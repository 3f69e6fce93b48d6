import type { Random } from '../crypto/tokens.ts'

const FIRST_MS = 1000

/**
 * The pause before the next try, in milliseconds: multiplied by `growth` with each, up to `maxMs`, of which a part between half and all
 * is taken by chance, so that what failed together does not come back together.
 * @param attempts how many there were
 */
export function pauseMs(attempts: number, maxMs: number, random: Random, growth = 2): number {
  const full = Math.min(maxMs, FIRST_MS * growth ** Math.min(attempts - 1, 40))
  const chance = random(4).readUInt32BE() / 2 ** 32
  return Math.round(full * (0.5 + chance / 2))
}
