import { readFile } from 'node:fs/promises'
import type { Server } from 'node:https'
import { createSecureContext } from 'node:tls'
import type { Config } from '../config/schema/schema.ts'
import { createLoop } from '../kernel/background/loop.ts'
import type { Logger } from '../kernel/base/log.ts'
import type { TlsPair } from '../kernel/http/server.ts'
import type { NamedApp } from './listen.ts'

type Port = NamedApp['name']
export type TlsPairs = { readonly [port in Port]?: TlsPair }

const PORTS: readonly Port[] = ['public', 'admin']

/**
 * Reads certificate and key of both ports; a port without them speaks plain HTTP.
 * @throws Error that names the key of the configuration, when a file cannot be read or the two do not belong together
 */
export async function readTls(config: Pick<Config, 'serve'>): Promise<TlsPairs> {
  const pairs: { [port in Port]?: TlsPair } = {}
  for (const port of PORTS) {
    const { tls } = config.serve[port]
    const where = `serve.${port}.tls`
    const cert = await readPem(tls.cert, `${where}.cert`)
    const key = await readPem(tls.key, `${where}.key`)
    if (cert === undefined || key === undefined) continue
    try {
      createSecureContext({ cert, key })
    } catch (cause) {
      throw new Error(`${where}: certificate and key cannot be used: ${(cause as Error).message}`, { cause })
    }
    pairs[port] = { cert, key }
  }
  return pairs
}

async function readPem(source: { path?: string | undefined; base64?: string | undefined }, where: string) {
  if (source.base64) return Buffer.from(source.base64, 'base64')
  if (!source.path) return undefined
  return readFile(source.path).catch((cause: NodeJS.ErrnoException): never => {
    throw new Error(`${where}.path: ${source.path} cannot be read (${cause.code})`, { cause })
  })
}

/**
 * Polls the files and hands a new pair to the running servers: open connections stay
 * as they are, new ones get the new certificate. A pair that cannot be used is logged once and changes nothing.
 *
 * Files are compared by content, since Kubernetes replaces the folder they stand in and not the files.
 * @param everyMs between two polls. Default 10 s: certificates are renewed days before they expire.
 */
export function followTls(d: {
  apps: readonly NamedApp[]
  config: Pick<Config, 'serve'>
  initial: TlsPairs
  log: Logger
  everyMs?: number
}): { look(): Promise<void>; close(): Promise<void> } {
  let current = d.initial
  let problem: string | undefined

  async function look(): Promise<void> {
    try {
      const next = await readTls(d.config)
      for (const { name, app } of d.apps) {
        const pair = next[name]
        if (pair === undefined || same(pair, current[name])) continue
        ;(app.server as unknown as Server).setSecureContext(pair)
        d.log.info({ port: name }, 'TLS certificate reloaded')
      }
      current = next
      problem = undefined
    } catch (err) {
      if ((err as Error).message !== problem)
        d.log.error({ err }, 'the new TLS certificate cannot be used; the old one stays')
      problem = (err as Error).message
    }
  }

  const loop = createLoop({ name: 'the look at TLS files', run: look, pauseMs: d.everyMs ?? 10_000, log: d.log })
  if (PORTS.some((port) => d.initial[port])) loop.start()
  return { look, close: loop.stop }
}

function same(a: TlsPair, b: TlsPair | undefined): boolean {
  return b !== undefined && a.cert.equals(b.cert) && a.key.equals(b.key)
}
