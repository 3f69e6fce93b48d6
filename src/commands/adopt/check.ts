import { type ConfigFacts, type Facts, findingsOf, type SampleFacts, verdictOf } from '../../adopt/findings.ts'
import { readSample } from '../../adopt/sample-cookie.ts'
import { forbidWrites, readNetworks, sessionOf, takeCensus } from '../../adopt/store.ts'
import { watchState } from '../../adopt/watch/state.ts'
import { readWatch } from '../../adopt/watch/store.ts'
import { ConfigError, type LoadedConfig, loadConfig } from '../../config/load.ts'
import { formatTime } from '../../kernel/base/clock.ts'
import { BROWSER_SESSION_MAX_AGE_SECONDS } from '../../kernel/crypto/cookies/securecookie.ts'
import { createHasher } from '../../kernel/crypto/passwords/passwords.ts'
import { storedForms } from '../../kernel/crypto/tokens.ts'
import { creationProblem } from '../../kernel/db/adoption/adoption.ts'
import type { Db, Queryable } from '../../kernel/db/client.ts'
import type { Cmd } from '../kit/command.ts'
import { databaseOf, statusOnceReachable, withDatabase } from '../kit/database.ts'
import { Failure } from '../kit/errors.ts'
import type { Io } from '../kit/io.ts'
import { type FormatOptions, writeFormatted } from '../kit/output.ts'
import { adoptionReport } from './report.ts'

interface Options extends FormatOptions {
  config?: string[]
  cookie?: string[]
}

/** @throws Failure when the database cannot be shared */
export async function checkAdoption(io: Io, command: Cmd, dsn: string | undefined): Promise<void> {
  const options = command.optsWithGlobals<Options>()
  const files = options.config ?? []
  const target = databaseOf(io, { files, dsn })
  const loaded = files.length === 0 ? undefined : load(io, files)
  const cookies = await cookiesOf(io, options.cookie ?? [])
  await withDatabase(io, target, async (db) => {
    const status = await statusOnceReachable(io, db)
    if (!status.adoption)
      throw new Failure(`Error: ${status.problem ?? `this is no database of Kratos: it is ${status.kind}`}`)
    const creation = status.pending > 0 ? await creationProblem(db) : undefined
    const seen =
      status.adoption.problems.length === 0
        ? await look(io, db, { loaded, cookies, migrated: status.pending === 0 })
        : undefined
    const facts: Facts = {
      adoption: status.adoption,
      newerAccepted: status.problem === undefined,
      creation,
      census: seen?.census,
      networks: seen?.networks.length ?? 0,
      config: loaded && configFacts(loaded),
      samples: seen?.samples ?? [],
      knowsHash: hasherOf(io).knows,
      watch: seen?.watch,
    }
    const findings = findingsOf(facts)
    const verdict = verdictOf(findings)
    const report = adoptionReport({ facts, findings, verdict, status, nid: seen?.networks[0] })
    const format = options.format ?? (io.stdout.isTTY ? 'table' : 'json-pretty')
    writeFormatted(io, { ...options, format }, report)
    if (!verdict.side_by_side) throw new Failure('')
  })
}

type Loaded = LoadedConfig | ConfigError

function load({ env }: Io, files: string[]): Loaded {
  try {
    return loadConfig({ files, env, flags: { dev: false } })
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

function configFacts(loaded: Loaded): ConfigFacts {
  if (loaded instanceof ConfigError) {
    const problems = loaded.problems.map(({ path, reason }) => `${path}: ${reason}`)
    const unknown = { passwordEnabled: true }
    return { problems, unsupported: [], hasSecrets: true, schemaIds: [], ...unknown }
  }
  const { config, warnings, generatedSecrets } = loaded
  const { methods } = config.selfservice
  return {
    problems: [],
    unsupported: warnings.filter(({ code }) => code === 'unsupported_keys').flatMap(({ keys }) => keys),
    hasSecrets: !generatedSecrets,
    schemaIds: config.identity.schemas.map(({ id }) => id),
    passwordEnabled: methods.password.enabled,
  }
}

/** Everything that is counted, in one transaction that cannot write. */
async function look(io: Io, db: Db, { migrated, ...given }: Omit<Samples, 'nid'> & { migrated: boolean }) {
  return db.tx(async (tx) => {
    await forbidWrites(tx)
    const networks = await readNetworks(tx)
    const [nid] = networks
    const census = nid === undefined ? undefined : await takeCensus(tx, nid, formatTime(io.clock.now()))
    const watch = migrated ? watchState(await readWatch(tx)) : undefined
    return { networks, census, watch, samples: await trySamples(io, tx, { ...given, nid }) }
  })
}

interface Samples {
  nid: string | undefined
  loaded: Loaded | undefined
  cookies: string[]
}

async function trySamples(io: Io, tx: Queryable, { nid, loaded, cookies }: Samples): Promise<SampleFacts[]> {
  if (loaded === undefined || loaded instanceof ConfigError) return []
  const { secrets, session } = loaded.config
  const options = {
    name: session.cookie.name,
    secrets: secrets.cookie.length > 0 ? secrets.cookie : secrets.default,
    maxAgeSeconds: session.cookie.persistent ? Math.trunc(session.lifespan / 1000) : BROWSER_SESSION_MAX_AGE_SECONDS,
    now: io.clock.now(),
  }
  const samples: SampleFacts[] = []
  for (const text of cookies) {
    const sample = readSample(text, options)
    if (sample.kind !== 'read') {
      samples.push({ outcome: sample.kind, ...('secret' in sample ? { secret: sample.secret } : {}) })
      continue
    }
    const found =
      nid === undefined ? 'unknown' : await sessionOf(tx, storedForms(sample.token), nid, formatTime(options.now))
    samples.push({ outcome: 'read', secret: sample.secret, session: found })
  }
  return samples
}

async function cookiesOf({ stdin }: Io, given: string[]): Promise<string[]> {
  if (!given.includes('-')) return given
  let text = ''
  for await (const chunk of stdin) text += chunk
  return [...given.filter((value) => value !== '-'), ...text.split('\n').filter((line) => line.trim() !== '')]
}

function hasherOf({ random }: Io) {
  const argon2 = { memory: 131_072, iterations: 1, parallelism: 1, salt_length: 16, key_length: 32 }
  return createHasher(() => ({ algorithm: 'bcrypt', bcrypt: { cost: 12 }, argon2, dev: false }), { random })
}
