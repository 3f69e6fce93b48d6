import { limitHeap } from '../ops/heap.ts'
import type { Cmd } from './kit/command.ts'
import { Failure } from './kit/errors.ts'
import type { Io } from './kit/io.ts'

export function addCourier(program: Cmd, io: Io): void {
  const watch = program.group('courier', 'Send messages').command('watch') as Cmd
  watch
    .description('Send messages to people until it is stopped; several may, also beside `serve --watch-courier`')
    .option('--dev', 'for development: without a mail server messages are shown in the log')
    .option('--expose-metrics-port <number>', 'accepted for compatibility: metrics are on the admin port of the server')
    .option('--latency <duration>', 'accepted for compatibility')
    .examples('courier watch -c kratos.yaml')
    .action(async () => {
      const { config: files = [], dev } = watch.optsWithGlobals<{ config?: string[]; dev?: boolean }>()
      const { env, stdout, stderr } = io
      const options = { files, dev: dev === true, migrate: false, courierOnly: true, watchCourier: true }
      limitHeap()
      const { serve } = await import('../serve.ts')
      const code = await serve({ ...options, env, stdout, stderr, stopRequested: io.stopRequested() })
      if (code !== 0) throw new Failure('')
    })
}
