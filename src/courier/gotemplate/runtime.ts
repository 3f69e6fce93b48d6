import { createHash } from 'node:crypto'
import { type Clock, cpuMs } from '../../kernel/base/clock.ts'
import { Budget } from './budget.ts'
import type { Runtime } from './functions/signature.ts'

/** What one rendering works with. */
export function newRuntime(clock: Clock): Runtime {
  const random = numbersFrom(clock.now())
  return { budget: new Budget(), patterns: new Map(), cpu: cpuMs, now: () => clock.now() / 1000, random }
}

/** Pseudo-random numbers for `shuffle` and `randInt`. They can be guessed from the time: no secret is made of them. */
function numbersFrom(seed: number): (below: number) => number {
  let count = 0
  return (below) => {
    const digest = createHash('sha256').update(`${seed} ${count++}`).digest()
    return digest.readUIntBE(0, 6) % below
  }
}
