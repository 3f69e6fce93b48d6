import { readAll } from '../config/load.ts'
import { type Config, configSchema } from '../config/schema.ts'
import { createHasher } from '../crypto/passwords.ts'
import type { Cmd } from './command.ts'
import { Failure } from './errors.ts'
import { calibrate } from './hashers-calibrate.ts'
import { type Io, print } from './io.ts'
import { addFormatFlags, type FormatOptions, writeFormatted } from './output.ts'

type Argon2 = Config['hashers']['argon2']

interface Options extends FormatOptions {
  config?: string[]
  parallel?: boolean
  maxMemory?: string
  probeRuns?: string
}

/** Flag → key of `hashers.argon2`. */
const KEYS = {
  memory: 'memory',
  iterations: 'iterations',
  parallelism: 'parallelism',
  saltLength: 'salt_length',
  keyLength: 'key_length',
  minDuration: 'expected_duration',
  expectedDeviation: 'expected_deviation',
  dedicatedMemory: 'dedicated_memory',
} as const

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
  hash.action((passwords: string[]) => timeHashes(io, hash.optsWithGlobals<Options>(), passwords))

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
  calibration.action(async (text: string) => {
    const options = calibration.optsWithGlobals<Options>()
    const perMinute = positive(text, 'requests per minute')
    const probes = positive(options.probeRuns ?? '2', '--probe-runs')
    const settings = argon2Settings(io, options)
    const limit =
      options.maxMemory === undefined ? undefined : argon2Settings(io, { memory: options.maxMemory } as Options)
    const found = await calibrate(io, settings, { perMinute, probes, maxMemory: limit?.memory })
    writeFormatted(io, options, found)
  })
}

async function timeHashes(io: Io, options: Options, passwords: string[]): Promise<void> {
  const settings = argon2Settings(io, options)
  const hasher = createHasher(() => ({ algorithm: 'argon2', bcrypt: { cost: 12 }, argon2: settings, dev: false }), {
    random: io.random,
    concurrency: options.parallel ? 64 : 1,
    queue: passwords.length,
  })
  const start = performance.now()
  const timed = async (password: string, index: number) => {
    const from = performance.now()
    await hasher.hash(password)
    print(io.stdout, `password ${index}: ${milliseconds(performance.now() - from)}`)
  }
  if (options.parallel) await Promise.all(passwords.map(timed))
  else for (const [index, password] of passwords.entries()) await timed(password, index)
  print(io.stdout, `total: ${milliseconds(performance.now() - start)}`)
}

/** Flags over the configuration; only this section of it is checked. @throws Failure */
function argon2Settings(io: Io, options: Options): Argon2 {
  const { loaded } = readAll({ files: options.config ?? [], env: io.env })
  const hashers = (loaded.merged.hashers ?? {}) as { argon2?: object }
  const given = options as unknown as Record<string, string | undefined>
  const flags = Object.entries(KEYS).flatMap(([flag, key]) => {
    const value = given[flag]
    return value === undefined ? [] : [[key, /^\d+$/.test(value) ? Number(value) : value]]
  })
  const merged = { hashers: { ...hashers, argon2: { ...hashers.argon2, ...Object.fromEntries(flags) } } }
  const checked = configSchema.pick({ hashers: true }).safeParse(merged)
  if (checked.success) return checked.data.hashers.argon2
  throw new Failure(checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'))
}

function positive(text: string, what: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new Failure(`${what}: ${JSON.stringify(text)} is not a whole number above 0`)
  return value
}

const milliseconds = (ms: number) => `${ms.toFixed(3)}ms`
