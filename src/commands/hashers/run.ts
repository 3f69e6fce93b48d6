import { readAll } from '../../config/load.ts'
import { type Config, configSchema } from '../../config/schema/schema.ts'
import { createHasher } from '../../kernel/crypto/passwords/passwords.ts'
import type { Cmd } from '../kit/command.ts'
import { Failure } from '../kit/errors.ts'
import { type Io, print } from '../kit/io.ts'
import { type FormatOptions, writeFormatted } from '../kit/output.ts'
import { calibrate } from './calibrate.ts'

type Argon2 = Config['hashers']['argon2']

interface Options extends FormatOptions {
  config?: string[]
  parallel?: boolean
  maxMemory?: string
  probeRuns?: string
  memory?: string
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

export async function timeHashes(io: Io, command: Cmd, passwords: string[]): Promise<void> {
  const options = command.optsWithGlobals<Options>()
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

export async function findParameters(io: Io, command: Cmd, text: string): Promise<void> {
  const options = command.optsWithGlobals<Options>()
  const perMinute = positive(text, 'requests per minute')
  const probes = positive(options.probeRuns ?? '2', '--probe-runs')
  const settings = argon2Settings(io, options)
  const maxMemory =
    options.maxMemory === undefined ? undefined : argon2Settings(io, { memory: options.maxMemory }).memory
  writeFormatted(io, options, await calibrate(io, settings, { perMinute, probes, maxMemory }))
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
