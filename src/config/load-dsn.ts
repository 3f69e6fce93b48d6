import { problemsOf } from './checks/issues.ts'
import { problemAt } from './checks/locate.ts'
import { ConfigError } from './checks/problems.ts'
import { readAll } from './load.ts'
import { type Config, configSchema } from './schema/schema.ts'
import type { Env } from './sources/env.ts'
import { at } from './sources/sources.ts'

/** What commands need that use only the database. */
export interface DatabaseConfig {
  readonly dsn: string
  /** `lethe.database` */
  readonly settings: Config['lethe']['database']
  /** `database.cleanup` */
  readonly cleanup: Config['database']['cleanup']
}

/**
 * Reads only what concerns the database. A migration job has a DSN and often neither secrets nor the rest of the
 * configuration, so nothing else is checked.
 *
 * @throws ConfigError
 */
export function loadDsn(options: {
  readonly files: readonly string[]
  readonly env: Env
  readonly readFile?: (file: string) => string
}): DatabaseConfig {
  const { loaded } = readAll(options)
  const { dsn } = loaded.merged
  if (typeof dsn !== 'string' || dsn === '') {
    const reason = 'one or more required properties are missing (missing properties: "dsn")'
    throw new ConfigError([
      problemAt(loaded, ['dsn'], reason, { hint: 'set it in a file or as DSN in the environment' }),
    ])
  }
  const picked = configSchema.pick({ lethe: true, database: true }).safeParse({
    lethe: { database: at(loaded.merged, ['lethe', 'database']) },
    database: loaded.merged.database,
  })
  if (!picked.success) throw new ConfigError(problemsOf(picked.error.issues, loaded))
  return { dsn, settings: picked.data.lethe.database, cleanup: picked.data.database.cleanup }
}
