import type { Cmd } from '../kit/command.ts'
import type { Io } from '../kit/io.ts'
import { addFormatFlags } from '../kit/output.ts'

export function addAdopt(program: Cmd, io: Io): void {
  const adopt = program.group('adopt', 'Take over a database of Kratos')
  const check = adopt
    .command('check')
    .description('Tell whether and how the database of a running Kratos can be shared; reads only')
    .argument('[dsn]', 'address of the database; else the variable DSN or the key dsn of a configuration file')
    .option('-e, --read-from-env', 'accepted for compatibility: it is what happens without an argument')
    .option(
      '--cookie <value>',
      'session cookie of a signed-in browser, to try the secrets on; "-" reads one a line from stdin; repeatable',
      (value: string, before: string[] = []) => [...before, value],
    ) as Cmd
  addFormatFlags(check)
  check
    .examples('adopt check -e -c kratos.yaml', 'adopt check -e -c kratos.yaml --cookie - < cookie.txt')
    .action(async (dsn?: string) => {
      const { checkAdoption } = await import('./check.ts')
      await checkAdoption(io, check, dsn)
    })

  const secrets = adopt
    .command('secrets')
    .description('Take the secrets of the configuration for the right ones, though the database was served with others')
    .argument('[dsn]', 'address of the database; else the variable DSN or the key dsn of a configuration file')
    .option('-e, --read-from-env', 'accepted for compatibility: it is what happens without an argument')
    .option('-y, --yes', 'do not ask before') as Cmd
  secrets.examples('adopt secrets -e -c kratos.yaml').action(async (dsn?: string) => {
    const { replaceSecrets } = await import('./secrets.ts')
    await replaceSecrets(io, secrets, dsn)
  })

  addWatch(adopt, io)
}

function addWatch(adopt: Cmd, io: Io): void {
  const watch = adopt.group('watch', 'Make events of what Kratos does to sessions, by triggers on its tables')
  const command = (name: string, description: string) =>
    watch
      .command(name)
      .description(description)
      .argument('[dsn]', 'address of the database; else the variable DSN or the key dsn of a configuration file')
      .option('-e, --read-from-env', 'accepted for compatibility: it is what happens without an argument') as Cmd
  const on = command('on', 'Show the plan, ask, and create the triggers').option(
    '-y, --yes',
    'do not ask before',
  ) as Cmd
  on.option(
    '--poll',
    'compare the tables every few seconds instead: no right on them is needed, and something may be missed',
  )
  on.examples('adopt watch on -e --yes', 'adopt watch status -e').action(async (dsn?: string) => {
    await (await import('./watch.ts')).watchOn(io, on, dsn)
  })
  const off = command('off', 'Drop the triggers and all that belongs to them').option(
    '-y, --yes',
    'do not ask before',
  ) as Cmd
  off.action(async (dsn?: string) => (await import('./watch.ts')).watchOff(io, off, dsn))
  const status = command('status', 'Tell whether it is on, and whether all of it is still there')
  addFormatFlags(status)
  status.action(async (dsn?: string) => (await import('./watch.ts')).watchStatus(io, status, dsn))
}
