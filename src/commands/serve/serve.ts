import { availableParallelism } from 'node:os'
import { DURATION, durationToMs } from '../../config/schema/durations.ts'
import { limitHeap } from '../../ops/heap.ts'
import type { Cmd } from '../kit/command.ts'
import { Failure, UsageError } from '../kit/errors.ts'
import type { Io } from '../kit/io.ts'

interface Options {
  config?: string[]
  dev?: boolean
  migrate?: boolean
  workers: string
  drainDelay?: string
  watchCourier?: boolean
}

const MOST_WORKERS = 64

export function addServe(program: Cmd, io: Io): void {
  const serve = program.command('serve').description('Run the server: public port 4433, admin port 4434') as Cmd
  serve
    .argument('[all]', 'accepted for compatibility, like any other word')
    .allowExcessArguments()
    .option('--dev', 'for development on http://: cookies without Secure, weak hashes allowed')
    .option('--migrate', 'apply pending migrations before the ports open; embedded databases always do')
    .option('--workers <number>', 'processes behind the same ports: 1 to 64, or auto for one per processor', '1')
    .option(
      '--drain-delay <duration>',
      'how long to go on after SIGTERM with /health/ready red, instead of lethe.http.drain_delay',
    )
    .option('--watch-courier', 'send messages to people from this process too; with --dev it always does')
    .option('--sqa-opt-out', 'accepted for compatibility: there is no telemetry')
    .examples(
      'serve -c kratos.yaml --dev',
      'serve all -c kratos.yaml -c lethe.yaml --migrate',
      'serve -c kratos.yaml --workers 4',
    )
    .action(async () => {
      const { config: files = [], dev, migrate, workers, drainDelay, watchCourier } = serve.optsWithGlobals<Options>()
      const count = workersOf(workers, serve)
      const { env, stdout, stderr } = io
      const drainDelayMs = drainDelay === undefined ? undefined : durationOf(drainDelay, serve)
      const asked = {
        files,
        dev: dev === true,
        migrate: migrate === true,
        drainDelayMs,
        watchCourier: watchCourier === true,
      }
      const options = { ...asked, env, stdout, stderr, stopRequested: io.stopRequested() }
      io.logsToStdout()
      limitHeap()
      const code =
        count === 1
          ? await (await import('../../serve.ts')).serve(options)
          : await (await import('./workers.ts')).serveAmongOthers(io, options, count)
      if (code !== 0) throw new Failure('')
    })
}

function durationOf(value: string, command: Cmd): number {
  if (DURATION.test(value)) return durationToMs(value)
  throw new UsageError(`--drain-delay: ${JSON.stringify(value)} is no duration such as 5s`, command.helpInformation())
}

function workersOf(value: string, command: Cmd): number {
  if (value === 'auto') return Math.min(MOST_WORKERS, availableParallelism())
  const number = /^[0-9]{1,2}$/.test(value) ? Number(value) : 0
  if (number >= 1 && number <= MOST_WORKERS) return number
  const reason = `--workers: ${JSON.stringify(value)} is neither a number from 1 to ${MOST_WORKERS} nor auto`
  throw new UsageError(reason, command.helpInformation())
}
