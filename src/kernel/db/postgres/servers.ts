import type { ConnectionOptions } from 'node:tls'
import { serverError } from '../errors.ts'
import type { PostgresDsn } from './dsn.ts'
import type { Host } from './dsn-hosts.ts'
import { tlsOptions } from './tls.ts'

/** One of the servers that the address names, and what it was found to take. */
export interface Server extends Host {
  tls: ConnectionOptions | undefined
  /** false: PgBouncer, which refuses settings that it does not know in the first message */
  keepsTimeouts: boolean
}

/** How one connection is opened. */
export interface Target {
  server: Readonly<Server>
  revision: number
}

export interface Servers {
  /** for a connection that is opened now */
  target(): Target
  /**
   * After a connection to `target` has failed: whether another try makes sense at once, since it will ask for less, or
   * ask another server.
   */
  another(target: Target, error: unknown): boolean
  count: number
}

/**
 * What is at the other end shows only when a connection is tried. Servers are asked in the order of the address, from
 * the last one that was found good.
 */
export function createServers(dsn: PostgresDsn): Servers {
  const servers = dsn.hosts.map((host): { state: Server; tls: ConnectionOptions | undefined } => {
    const tls = tlsOptions(dsn.tls, host.host)
    return { tls, state: { ...host, tls: dsn.tls.mode === 'allow' ? undefined : tls, keepsTimeouts: true } }
  })
  let current = 0
  let revision = 0

  /** Takes back what the server has refused. */
  function adapt(error: unknown): boolean {
    const { state, tls } = servers[current]!
    const text = error instanceof Error ? error.message : ''
    if (dsn.tls.mode === 'prefer' && state.tls && text.includes('does not support SSL')) {
      state.tls = undefined
      return true
    }
    if (dsn.tls.mode === 'allow' && !state.tls && tls && serverError(error)?.code === '28000') {
      state.tls = tls
      return true
    }
    if (state.keepsTimeouts && text.includes('unsupported startup parameter')) {
      state.keepsTimeouts = false
      return true
    }
    return false
  }

  return {
    count: servers.length,
    target: () => ({ server: { ...servers[current]!.state }, revision }),
    another(target, error) {
      // another call has found out the same meanwhile
      if (target.revision !== revision) return true
      if (adapt(error)) {
        revision += 1
        return true
      }
      if (servers.length === 1) return false
      current = (current + 1) % servers.length
      revision += 1
      return true
    },
  }
}
