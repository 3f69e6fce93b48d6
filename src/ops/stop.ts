import type { Logger } from '../kernel/base/log.ts'

/** Time of one phase. Orchestrators give 30 to 60 s for the whole. */
const PHASE_MS = 20_000

/** Runs every phase in order, each with a time limit; one that fails or hangs does not keep the next from running. */
export async function stopInPhases(phases: [string, () => Promise<unknown>][], log: Logger): Promise<void> {
  for (const [phase, work] of phases) {
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done within ${PHASE_MS / 1000} s`)), PHASE_MS)
    })
    await Promise.race([work(), limit]).catch((err) => log.error({ err, phase }, 'a phase of the stop failed'))
    clearTimeout(timer)
  }
}
