import type { FastifyPluginAsync, FastifyReply } from 'fastify'

export interface HealthDeps {
  /** Whether the database answers and no migration is pending. Never throws. */
  isReady(): Promise<boolean>
  /** text of the 503: the public port does not name the cause */
  notReadyMessage: string
  /** what an operator should look into although the node works; shown when not empty. Never throws. */
  warnings?: (() => Promise<string[]>) | undefined
}

export const NOT_READY = {
  public: 'error may contain sensitive information and was obfuscated',
  admin: 'migrations have not yet been fully applied',
}

export function healthRoutes(d: HealthDeps): FastifyPluginAsync {
  return async (app) => {
    app.get('/health/alive', { config: { csrf: 'off' } }, async () => ({ status: 'ok' }))
    app.get('/health/ready', { config: { csrf: 'off' } }, async (_req, reply: FastifyReply) => {
      if (await d.isReady()) {
        const warnings = (await d.warnings?.()) ?? []
        return warnings.length > 0 ? { status: 'ok', warnings } : { status: 'ok' }
      }
      const error = { code: 500, status: 'Internal Server Error', message: d.notReadyMessage }
      return reply.code(503).header('retry-after', '1').header('content-type', 'application/json').send({ error })
    })
  }
}

export function versionRoutes(d: { version: string }): FastifyPluginAsync {
  return async (app) => {
    app.get('/version', async () => ({ version: d.version }))
  }
}

/** Lets operators see whether all nodes run the same configuration. */
export function configHashRoutes(d: { configHash(): string }): FastifyPluginAsync {
  return async (app) => {
    app.get('/health/config', async (_req, reply: FastifyReply) =>
      reply.header('content-type', 'text/plain; charset=utf-8').send(d.configHash()),
    )
  }
}
