import type { Cmd } from './command.ts'
import { Failure } from './errors.ts'
import type { Io } from './io.ts'

interface Options {
  config?: string[]
  dev?: boolean
  migrate?: boolean
}

export function addServe(program: Cmd, io: Io): void {
  const serve = program.command('serve').description('Run the server: public port 4433, admin port 4434') as Cmd
  serve
    .argument('[all]', 'accepted for compatibility, like any other word')
    .allowExcessArguments()
    .option('--dev', 'for development on http://: cookies without Secure, weak hashes allowed')
    .option('--migrate', 'apply pending migrations before the ports open; embedded databases always do')
    .option('--watch-courier', 'accepted for compatibility: no message is sent')
    .option('--sqa-opt-out', 'accepted for compatibility: there is no telemetry')
    .examples('serve -c kratos.yaml --dev', 'serve all -c kratos.yaml -c lethe.yaml --migrate')
    .action(async () => {
      const { config = [], dev, migrate } = serve.optsWithGlobals<Options>()
      const { serve: run } = await import('../serve.ts')
      const code = await run({
        files: config,
        dev: dev === true,
        migrate: migrate === true,
        env: io.env,
        stdout: io.stdout,
        stderr: io.stderr,
        stopRequested: io.stopRequested(),
      })
      if (code !== 0) throw new Failure('')
    })
}
