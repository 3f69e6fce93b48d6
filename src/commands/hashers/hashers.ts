import type { Cmd } from '../kit/command.ts'
import type { Io } from '../kit/io.ts'
import { addFormatFlags } from '../kit/output.ts'

/** Native code and the configuration, which other commands should not have to load. */
const load = () => import('./run.ts')

export function addHashers(program: Cmd, io: Io): void {
  const argon2 = program
    .group('hashers', 'Try out password hashing')
    .group('argon2', 'Try out Argon2id on this machine')
  argon2
    .option('--memory <size>', 'memory of one hash, such as 128MB')
    .option('--iterations <number>', 'passes over the memory')
    .option('--parallelism <number>', 'lanes')
    .option('--salt-length <bytes>', 'bytes of salt')
    .option('--key-length <bytes>', 'bytes of hash')
    .option('--min-duration <duration>', 'time that a hash should take at least')
    .option('--expected-deviation <duration>', 'deviation of that time')
    .option('--dedicated-memory <size>', 'memory that all hashes together may take')
  const hash = argon2
    .command('hash')
    .description('Hash passwords and show how long it takes')
    .argument('<password...>') as Cmd
  hash.option('--parallel', 'all at once').examples('hashers argon2 hash --memory 64MB --iterations 2 some-password')
  hash.action(async (passwords: string[]) => (await load()).timeHashes(io, hash, passwords))

  const calibration = argon2
    .command('calibrate')
    .description('Find parameters for a number of logins a minute')
    .argument('<requests-per-minute>')
    .option('--max-memory <size>', 'memory of one hash at most')
    .option('--probe-runs <number>', 'hashes for each measurement (default: 2)') as Cmd
  for (const flag of ['start-memory', 'adjust-memory-by', 'start-iterations', 'max-concurrent']) {
    calibration.option(`--${flag} <value>`, 'accepted for compatibility')
  }
  addFormatFlags(calibration)
  calibration.examples('hashers argon2 calibrate 60 --dedicated-memory 1GB --min-duration 500ms')
  calibration.action(async (perMinute: string) => (await load()).findParameters(io, calibration, perMinute))
}
