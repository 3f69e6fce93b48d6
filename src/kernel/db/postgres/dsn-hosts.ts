import { DsnError } from './dsn-error.ts'

/** One server that may hold the database. */
export interface Host {
  /** name, address or folder of a unix socket; undefined: `PGHOST` or localhost */
  host: string | undefined
  /** undefined: `PGPORT` or 5432 */
  port: number | undefined
}

/** More than a cluster has; the next one is tried when one is away. */
const MOST_HOSTS = 16
const ENCODE = 'percent-encode the characters # / ? @ : % in user name and password'

/**
 * Takes the list of hosts out of an address, since a URL has one host only: `user:password@h1:5432,[::1],h2/db`. An empty
 * one stands for what `host=` says (`postgres://user:password@/db?host=/run/postgresql`).
 *
 * @returns the list as it is written, and the address with the one host `x` in place of it
 * @throws DsnError
 */
export function cutHosts(dsn: string): { list: string; url: string } {
  // WHATWG would cut the password at a raw "#"
  if (dsn.includes('#')) throw new DsnError(`the address cannot be read: it has a raw "#"; ${ENCODE}`)
  const colon = dsn.indexOf(':')
  if (!dsn.startsWith('://', colon)) throw new DsnError(`the address cannot be read: "//" is missing after the scheme`)
  const start = colon + 3
  const ends = ['/', '?'].map((end) => dsn.indexOf(end, start)).filter((at) => at >= 0)
  const end = Math.min(dsn.length, ...ends)
  const at = dsn.lastIndexOf('@', end)
  const from = at < start ? start : at + 1
  return { list: dsn.slice(from, end), url: `${dsn.slice(0, from)}x${dsn.slice(end)}` }
}

/**
 * The servers in the order in which they are tried.
 *
 * @param list the hosts in the address: `h1:5432,[::1]:5433,h2`
 * @param names the parameter `host`, which wins over the list
 * @param ports the parameter `port`: one for all, or one for each
 * @throws DsnError
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
 */
export function readHosts(list: string, names: string | undefined, ports: string | undefined): Host[] {
  const hosts = names === undefined ? list.split(',').map(readHost) : names.split(',').map(named)
  if (hosts.length > MOST_HOSTS) throw new DsnError(`the address names more than ${MOST_HOSTS} hosts`)
  if (hosts.length > 1 && hosts.some(({ host }) => host === undefined))
    throw new DsnError('the list of hosts has an empty entry')
  if (ports === undefined) return hosts
  const given = ports.split(',').map(readPort)
  if (given.length !== 1 && given.length !== hosts.length)
    throw new DsnError(`port names ${given.length} ports for ${hosts.length} hosts; give one for all, or one for each`)
  return hosts.map(({ host }, index) => ({ host, port: given.length === 1 ? given[0] : given[index] }))
}

function readHost(text: string): Host {
  const bracket = text.startsWith('[') ? text.indexOf(']') + 1 : 0
  const colon = text.indexOf(':', bracket)
  const name = colon < 0 ? text : text.slice(0, colon)
  return { ...named(name), port: colon < 0 ? undefined : readPort(text.slice(colon + 1)) }
}

function named(text: string): Host {
  const host = decode(text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text)
  return { host: host === '' ? undefined : host, port: undefined }
}

function readPort(text: string): number | undefined {
  if (text === '') return undefined
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535)
    throw new DsnError(`a port is not a number from 0 to 65535; if it is part of the password, ${ENCODE}`)
  return Number(text)
}

export function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new DsnError('the address has a "%" that starts no percent-encoding; write %25 for a plain percent sign')
  }
}
