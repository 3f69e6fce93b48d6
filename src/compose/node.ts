import type { FastifyInstance } from 'fastify'
import { type AppOptions, createAdminApp, createPublicApp } from '../app.ts'
import { formatTime } from '../kernel/base/clock.ts'
import { loadMeta, type Meta } from '../kernel/db/meta.ts'
import { createDeps, type Deps } from './deps.ts'
import type { Environment } from './environment.ts'

export interface NodeEnvironment extends Omit<Environment, 'meta'> {
  /** who made the tables: Lethe, or Kratos */
  kind: Meta['kind']
  app: AppOptions
  /** called before anything is built; an error keeps the node from starting */
  checkMeta?(meta: Meta): Promise<void>
}

/** A whole node that does not listen yet. */
export interface Node {
  deps: Deps
  apps: { readonly public: FastifyInstance; readonly admin: FastifyInstance }
  /** Starts the background work. */
  start(): void
  /** Resolves when no background work is in progress. */
  stop(): Promise<void>
}

/**
 * Builds a node on a migrated database; the server and the tests use the same one.
 * @throws MetaMismatch
 */
export async function createNode({ kind, app, checkMeta, ...env }: NodeEnvironment): Promise<Node> {
  const meta = await loadMeta(env.db, {
    kind,
    tokens: env.config().lethe.database.tokens,
    now: formatTime(env.clock.now()),
    random: env.random,
  })
  await checkMeta?.(meta)
  const deps = createDeps({ ...env, meta })
  return {
    deps,
    apps: { public: createPublicApp(deps, app), admin: createAdminApp(deps, app) },
    start() {
      for (const work of deps.background) work.start()
    },
    async stop() {
      await Promise.all(deps.background.map((work) => work.stop()))
    },
  }
}
