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
  /** called before anything is built; what it throws keeps the node from starting */
  checkMeta?(meta: Meta): Promise<void>
}

/** A whole node that listens nowhere yet. */
export interface Node {
  deps: Deps
  apps: { readonly public: FastifyInstance; readonly admin: FastifyInstance }
  /** Starts the work beside the requests. */
  start(): void
  /** Resolves when none of it is under way. */
  stop(): Promise<void>
}

/**
 * Builds a node on a database that is migrated; the server and the tests use the same one.
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
