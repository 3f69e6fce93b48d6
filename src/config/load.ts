import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { goBoolean } from '../kernel/base/go-boolean.ts'
import { contradictions } from './checks/contradictions.ts'
import { problemsOf } from './checks/issues.ts'
import type { Loaded } from './checks/locate.ts'
import { ConfigError, type ConfigProblem } from './checks/problems.ts'
import { checkRules } from './checks/rules.ts'
import { type ConfigWarning, collectWarnings } from './checks/warnings.ts'
import { type Config, configSchema } from './schema/schema.ts'
import { type Env, readEnv } from './sources/env.ts'
import { readSource } from './sources/read.ts'
import { merge, type Tree } from './sources/sources.ts'

export { ConfigError, type ConfigProblem, formatProblems } from './checks/problems.ts'
export type { ConfigWarning } from './checks/warnings.ts'

export interface LoadOptions {
  /** in order, later ones win; relative to the working directory */
  readonly files: readonly string[]
  readonly env: Env
  readonly flags: { readonly dev: boolean }
  readonly readFile?: (file: string) => string
  /** makes the secrets when none are configured; without it they stay empty */
  readonly random?: (bytes: number) => Buffer
}

export interface LoadedConfig {
  /** deep-frozen */
  readonly config: Config
  /** `--dev`, unless the variable DEV says otherwise */
  readonly dev: boolean
  readonly warnings: readonly ConfigWarning[]
  /** true: neither `secrets.cookie` nor `secrets.default` is set, and `config.secrets.default` is random */
  readonly generatedSecrets: boolean
  /** what was read: file names and names of variables, never values */
  readonly sources: { readonly files: readonly string[]; readonly env: readonly string[] }
  /** SHA-256 of what was read, 64 hex digits; the same on every node with the same configuration */
  readonly hash: string
}

/**
 * Reads files and environment, checks the whole and fills the defaults.
 *
 * @throws ConfigError with all problems at once
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const { loaded, problems } = readAll(options)
  const checked = configSchema.safeParse(loaded.merged)
  if (!checked.success) problems.push(...problemsOf(checked.error.issues, loaded))
  problems.push(...checkRules(loaded))
  if (checked.success) problems.push(...contradictions(checked.data, loaded))
  if (!checked.success || problems.length > 0) throw new ConfigError(withoutEchoes(problems))

  const config = checked.data
  const generatedSecrets = config.secrets.cookie.length === 0 && config.secrets.default.length === 0
  if (generatedSecrets && options.random) config.secrets.default = [options.random(32).toString('base64url')]
  const warnings = collectWarnings(config, generatedSecrets)
  const { DEV } = options.env
  const dev = goBoolean(DEV)
  if (DEV !== undefined && dev === undefined) {
    warnings.push({ code: 'ignored_variable', message: 'DEV is neither true nor false: ignored', keys: ['DEV'] })
  }
  return deepFreeze({
    config,
    dev: dev ?? options.flags.dev,
    warnings,
    generatedSecrets,
    sources: { files: [...options.files], env: [...loaded.env.used] },
    hash: createHash('sha256').update(canonical(loaded.merged)).digest('hex'),
  })
}

/** Reads and merges without checking. @throws ConfigError when a file cannot be read or parsed */
export function readAll(options: Pick<LoadOptions, 'files' | 'env' | 'readFile'>): {
  loaded: Loaded
  problems: ConfigProblem[]
} {
  const read = options.readFile ?? ((file: string) => readFileSync(file, 'utf8'))
  const sources = options.files.map((file) => readSource(file, read))
  const found = sources.flatMap((source) => source.problems)
  const problems = found.map(({ syntax: _, ...problem }) => problem)
  // While one file cannot be parsed, problems in the others may only follow from what it would have said.
  if (found.some((problem) => problem.syntax)) throw new ConfigError(problems)
  const env = readEnv(options.env)
  const merged = [...sources, env].reduce<unknown>((base, { data }) => merge(base, data), {}) as Tree
  // The one section that may be empty in Kratos, whose schema does not ask for a map here. Files in use have it so.
  if (merged.feature_flags === null) delete merged.feature_flags
  return { loaded: { sources, env, merged }, problems: [...problems, ...env.problems] }
}

/** Two checks may find the same missing key; one message is enough. */
function withoutEchoes(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const seen = new Set<string>()
  return problems.filter(({ file, line, path, reason }) => {
    const name = JSON.stringify([file, line, path, reason])
    return seen.has(name) ? false : seen.add(name)
  })
}

/** JSON with sorted names, so that the order in the file does not matter. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
