import type { ConnectionOptions } from 'node:tls'
import { serverError } from '../errors.ts'
import type { PostgresDsn } from './dsn.ts'
import type { Host } from './dsn-hosts.ts'
import { tlsOptions } from './tls.ts'

/** One of the servers in the address, and what it was found to accept. */
export interface Server extends Host {
  tls: ConnectionOptions | undefined
  /** false: PgBouncer, which refuses unknown settings in the first message */
  keepsTimeouts: boolean
}

/** How one connection is opened. */
export interface Target {
  server: Readonly<Server>
  revision: number
}

export interface Servers {
  /** for the next connection */
  target(): Target
  /**
   * Whether to try again at once after a connection to `target` has failed: with fewer settings, or
   * with another server.
   */
  another(target: Target, error: unknown): boolean
  count: number
}

/**
 * What a server accepts shows only when a connection is opened. Servers are tried in the order of the address, from
 * the last one that worked.
 */
export function createServers(dsn: PostgresDsn): Servers {
  const servers = dsn.hosts.map((host): { state: Server; tls: ConnectionOptions | undefined } => {
    const tls = tlsOptions(dsn.tls, host.host)
    return { tls, state: { ...host, tls: dsn.tls.mode === 'allow' ? undefined : tls, keepsTimeouts: true } }
  })
  let current = 0
  let revision = 0

  /** Drops the setting that the server has refused. */
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
      // another call has found the same meanwhile
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
