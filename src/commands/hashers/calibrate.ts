import { availableParallelism } from 'node:os'
import { msToDuration } from '../../config/schema/durations.ts'
import type { Config } from '../../config/schema/schema.ts'
import { createHasher } from '../../kernel/crypto/passwords/passwords.ts'
import { type Io, print } from '../kit/io.ts'
import type { Output } from '../kit/output.ts'

type Argon2 = Config['hashers']['argon2']

const MIB = 1024 * 1024
const MAX_ITERATIONS = 64

/**
 * Memory first, since it makes Argon2id expensive to attack: as much as the hashes that run at once may take,
 * then passes until one hash takes the time that was asked for.
 */
export async function calibrate(
  io: Io,
  wanted: Argon2,
  { perMinute, probes, maxMemory }: { perMinute: number; probes: number; maxMemory: number | undefined },
): Promise<Output> {
  const wantedMs = wanted.expected_duration
  const atOnce = Math.max(1, Math.ceil((perMinute / 60_000) * wantedMs))
  const share = Math.min(wanted.dedicated_memory / atOnce, maxMemory ?? Number.POSITIVE_INFINITY)
  const parallelism = wanted.parallelism ?? 2 * availableParallelism()
  let argon2 = { ...wanted, parallelism, memory: Math.max(1, Math.floor(share / MIB)) * MIB, iterations: 1 }
  let times = await measure(io, argon2, probes)
  // too much for the time wanted, or for the machine: halve it until one pass fits
  while (Math.max(...times) > wantedMs + wanted.expected_deviation && argon2.memory > 8 * MIB) {
    argon2 = { ...argon2, memory: Math.ceil(argon2.memory / 2 / MIB) * MIB }
    times = await measure(io, argon2, probes)
  }
  while (Math.min(...times) < wantedMs && argon2.iterations < MAX_ITERATIONS) {
    const missing = Math.floor(argon2.iterations * (wantedMs / Math.max(1, Math.min(...times))))
    argon2 = { ...argon2, iterations: Math.min(MAX_ITERATIONS, Math.max(argon2.iterations + 1, missing)) }
    times = await measure(io, argon2, probes)
  }
  return outputOf(argon2, times)
}

async function measure(io: Io, argon2: Argon2, probes: number): Promise<number[]> {
  const settings = { algorithm: 'argon2', bcrypt: { cost: 12 }, argon2, dev: false } as const
  const hasher = createHasher(() => settings, { random: io.random })
  const times: number[] = []
  for (let probe = 0; probe < probes; probe++) {
    const from = performance.now()
    await hasher.hash('a password of usual length')
    times.push(performance.now() - from)
  }
  const shown = times.map((ms) => `${Math.round(ms)}ms`).join(', ')
  print(io.stderr, `${megabytes(argon2.memory)}, ${argon2.iterations} iterations: ${shown}`)
  return times
}

function outputOf(argon2: Argon2, times: number[]): Output {
  const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length
  const deviation = Math.max(...times.map((ms) => Math.abs(ms - mean)))
  const value = {
    memory: megabytes(argon2.memory),
    iterations: argon2.iterations,
    parallelism: argon2.parallelism,
    salt_length: argon2.salt_length,
    key_length: argon2.key_length,
    expected_duration: msToDuration(mean),
    expected_deviation: msToDuration(deviation),
    dedicated_memory: megabytes(argon2.dedicated_memory),
  }
  const table = Object.entries(value).map(([key, cell]) => [key.toUpperCase().replaceAll('_', ' '), String(cell)])
  return { value, table, ids: [value.memory] }
}

const megabytes = (bytes: number) => `${Math.round(bytes / MIB)}MB`
