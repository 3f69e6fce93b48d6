import { channelToPrimary, createForker, WORKER_VARIABLE } from '../../ops/workers/fork.ts'
import { joinPrimary } from '../../ops/workers/link.ts'
import { serveWithWorkers } from '../../ops/workers/primary.ts'
import type { ServeOptions } from '../../serve.ts'
import { Failure } from '../kit/errors.ts'
import type { Io } from '../kit/io.ts'

/** The primary starts this program again with the same arguments, so a worker arrives here too. */
export async function serveAmongOthers(io: Io, options: ServeOptions, workers: number): Promise<number> {
  const cluster = await io.cluster()
  const channel = io.env[WORKER_VARIABLE] === undefined ? undefined : channelToPrimary(cluster)
  if (channel === undefined) {
    if (!cluster.isPrimary) throw new Failure('Error: --workers cannot be used inside a worker of node:cluster')
    const fork = createForker(cluster, io.stdout)
    return serveWithWorkers({ ...options, fork, workers, random: io.random, pause: io.sleep })
  }
  // A signal may also come directly: Ctrl-C goes to every process of a terminal, and an operator may stop one worker.
  let stop: (why: string) => void = () => {}
  const stopRequested = new Promise<string>((resolve) => {
    stop = resolve
  })
  void options.stopRequested.then(stop)
  const primary = await joinPrimary(channel, stop)
  if (primary === undefined) return 0
  const { serve } = await import('../../serve.ts')
  return serve({ ...options, stopRequested, primary })
}
