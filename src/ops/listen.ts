import type { FastifyInstance } from 'fastify'
import { socketHost } from '../config/listen-host.ts'
import type { Config } from '../config/schema/schema.ts'
import type { Logger } from '../kernel/base/log.ts'
import { freeSocketPath, setSocketRights } from './unix-socket.ts'

export interface NamedApp {
  name: 'public' | 'admin'
  app: FastifyInstance
}

/**
 * Opens both ports, or neither.
 * @param shared other workers listen there too, and their primary has removed a stale socket file
 * @throws Error naming the address that could not be opened
 */
export async function listen(apps: NamedApp[], config: Config, log: Logger, shared = false): Promise<void> {
  try {
    for (const { name, app } of apps) {
      const addr = await open(app, config.serve[name], shared)
      log.info({ addr }, `Starting the ${name} httpd`)
    }
  } catch (cause) {
    await Promise.all(apps.map(({ app }) => app.close()))
    throw new Error(`the ports could not be opened: ${(cause as Error).message}`, { cause })
  }
}

async function open(app: FastifyInstance, at: Config['serve']['public' | 'admin'], shared: boolean): Promise<string> {
  if (!at.host.startsWith('unix:')) return app.listen({ host: socketHost(at.host), port: at.port })
  const path = at.host.slice('unix:'.length)
  if (!shared) await freeSocketPath(path)
  const addr = await app.listen({ path })
  await setSocketRights(path, at.socket)
  return addr
}
