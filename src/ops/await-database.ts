import fastify, { type FastifyServerOptions } from 'fastify'
import type { Config } from '../config/schema/schema.ts'
import type { Logger } from '../kernel/base/log.ts'
import type { Db } from '../kernel/db/client.ts'
import { MigrationError, type MigrationStatus, migrateUp, migrationStatus } from '../kernel/db/migrations/migrate.ts'
import { healthRoutes, NOT_READY } from './health.ts'
import { listen, type NamedApp } from './listen.ts'
import type { TlsPairs } from './tls.ts'

export interface Waiting {
  ready: Promise<{ kind: 'owned' | 'adopted' }>
  abandon(): Promise<void>
}

/** Pauses between two tries, growing up to the last. */
const PAUSES_MS = [100, 250, 500, 1000]
/** After this long without a usable database the process exits, so that its orchestrator notices. As Kratos. */
const GIVE_UP_MS = 5 * 60_000

/**
 * Waits until the database answers and is migrated. Until then both ports answer that the process is alive and not ready,
 * and 503 to everything else.
 */
export function awaitDatabase(d: {
  db: Db
  config: Config
  log: Logger
  migrate: boolean
  tls: TlsPairs
  /** other workers listen on the same ports */
  shared: boolean
  /** whether the ports answer health checks meanwhile; default true */
  listens?: boolean
}): Waiting {
  let abandoned = false
  let placeholders: NamedApp[] = []
  const closePlaceholders = () => Promise.all(placeholders.map(({ app }) => app.close()))

  async function wait(): Promise<{ kind: 'owned' | 'adopted' }> {
    const started = performance.now()
    for (let attempt = 0; !abandoned && performance.now() - started < GIVE_UP_MS; attempt++) {
      const kind = await usable(d)
      if (kind !== undefined) {
        await closePlaceholders()
        return { kind }
      }
      if (d.listens !== false && placeholders.length === 0) {
        placeholders = [placeholder('public', d.tls), placeholder('admin', d.tls)]
        await listen(placeholders, d.config, d.log, d.shared)
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)]))
    }
    await closePlaceholders()
    throw new Error('the database did not become usable within five minutes')
  }

  return {
    ready: wait(),
    async abandon() {
      abandoned = true
      await closePlaceholders()
    },
  }
}

async function usable(d: { db: Db; log: Logger; migrate: boolean }): Promise<'owned' | 'adopted' | undefined> {
  try {
    if (d.migrate)
      await migrateUp(d.db, { onApplied: ({ name }) => d.log.info({ migration: name }, 'migration applied') })
    const status = await migrationStatus(d.db)
    if (status.problem !== undefined) throw new MigrationError(status.problem)
    return usableKind(status, d.log)
  } catch (err) {
    // Waiting cannot help with a database that must not be used.
    if (err instanceof MigrationError) throw err
    d.log.warn({ err }, 'the database is not available yet')
    return undefined
  }
}

function usableKind(status: MigrationStatus, log: Logger): 'owned' | 'adopted' | undefined {
  if (status.pending > 0) {
    log.warn(
      { pending: status.pending },
      'migrations are pending: run `lethe migrate sql up -e --yes`, or start with --migrate',
    )
    return undefined
  }
  return status.kind === 'adopted' ? 'adopted' : 'owned'
}

function placeholder(name: 'public' | 'admin', tls: TlsPairs): NamedApp {
  // Either protocol, as the orchestrator's probe expects it; the types of the two servers do not fit each other.
  const app = fastify({ https: tls[name] ?? null } as FastifyServerOptions)
  app.register(healthRoutes({ isReady: async () => false, notReadyMessage: NOT_READY[name] }))
  app.setNotFoundHandler((_req, reply) =>
    reply
      .code(503)
      .header('retry-after', '1')
      .send({
        error: { code: 503, status: 'Service Unavailable', message: 'The server is starting and has no database yet' },
      }),
  )
  return { name, app }
}
