import { limitHeap } from '../ops/heap.ts'
import type { Cmd } from './kit/command.ts'
import { Failure } from './kit/errors.ts'
import { type Io, print } from './kit/io.ts'

export function addCourier(program: Cmd, io: Io): void {
  const courier = program.group('courier', 'Send messages')
  addTest(courier, io)
  const watch = courier.command('watch') as Cmd
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
      io.logsToStdout()
      limitHeap()
      const { serve } = await import('../serve.ts')
      const code = await serve({ ...options, env, stdout, stderr, stopRequested: io.stopRequested() })
      if (code !== 0) throw new Failure('')
    })
}

function addTest(courier: Cmd, io: Io): void {
  const command = courier.command('test') as Cmd
  command
    .description('Send one mail at once, without queue and database, and tell what the server says')
    .argument('<address>', 'where to')
    .option('--sms', 'a text message to a telephone number instead')
    .examples('courier test ida@example.com -c kratos.yaml')
    .action(async (recipient: string) => {
      const { config: files = [], sms } = command.optsWithGlobals<{ config?: string[]; sms?: boolean }>()
      const [{ loadConfig }, { createSenders }, { uuid }] = await Promise.all([
        import('../config/load.ts'),
        import('../courier/channels/senders.ts'),
        import('../kernel/base/uuid.ts'),
      ])
      const { config } = loadConfig({ files, env: io.env, flags: { dev: false } })
      const log = { info() {} }
      const senders = createSenders({ config: () => config, clock: io.clock, dev: false, cwd: '.', log })
      const channel = sms ? 'sms' : 'email'
      const attempt = await senders[channel].send({
        ...{ id: uuid(io.random), channel, recipient, html: undefined, requestHeaders: {} },
        ...{ template: 'verification_code_valid', data: { to: recipient } },
        ...{ subject: 'Test of the courier', body: 'This message was sent by `courier test`. Messages arrive.\n' },
      })
      if (attempt.result !== 'sent') throw new Failure(`Error: the message was not sent: ${attempt.reason}`)
      print(io.stdout, `The message was accepted for ${recipient}.`)
    })
}
