import type { Share } from './types.ts'

type Ring<T> = Map<string, T>

/** Queued jobs, so that each network, and within it each identifier, has one turn before any has a second. */
export interface Turns<T> {
  readonly size: number
  add(share: Share, job: T): void
  next(): T | undefined
  /** jobs that would run before one more of this share */
  ahead(share: Share): number
  /** queued jobs of this identifier, in all networks, and queued jobs of this network */
  of(share: Share): { identifier: number; network: number }
}

/** Round robin; every step costs no more than the number of queued jobs, which the queue bounds. */
export function createTurns<T>(): Turns<T> {
  const networks: Ring<Ring<T[]>> = new Map()
  const identifiers = new Map<string, number>()
  let size = 0

  function shift(): { identifier: string; job: T } | undefined {
    const [network] = networks
    if (network === undefined) return undefined
    const [key, ring] = network
    const [[identifier, jobs]] = ring as unknown as [[string, T[]]]
    const job = jobs.shift()!
    // The identifier that has had its turn goes to the end.
    ring.delete(identifier)
    if (jobs.length > 0) ring.set(identifier, jobs)
    networks.delete(key)
    if (ring.size > 0) networks.set(key, ring)
    return { identifier, job }
  }

  return {
    get size() {
      return size
    },
    add(share, job) {
      const ring = networks.get(keyOf(share)) ?? new Map<string, T[]>()
      networks.set(keyOf(share), ring)
      const jobs = ring.get(share.identifier) ?? []
      ring.set(share.identifier, jobs)
      jobs.push(job)
      identifiers.set(share.identifier, (identifiers.get(share.identifier) ?? 0) + 1)
      size++
    },
    next() {
      const taken = shift()
      if (taken === undefined) return undefined
      const left = identifiers.get(taken.identifier)! - 1
      if (left === 0) identifiers.delete(taken.identifier)
      else identifiers.set(taken.identifier, left)
      size--
      return taken.job
    },
    ahead(share) {
      const ring: Ring<T[]> = networks.get(keyOf(share)) ?? new Map()
      const within = before(
        [...ring].map(([key, jobs]) => [key, jobs.length]),
        share.identifier,
      )
      return before(
        [...networks].map(([key, of]) => [key, count(of)]),
        keyOf(share),
        within,
      )
    },
    of(share) {
      const ring = networks.get(keyOf(share))
      return { identifier: identifiers.get(share.identifier) ?? 0, network: ring === undefined ? 0 : count(ring) }
    },
  }
}

/** Where the network is unknown, or shared by many people, each identifier counts by itself. */
const keyOf = ({ network, identifier }: Share) => (network === '' ? `identifier ${identifier}` : network)

const count = (ring: Ring<unknown[]>) => [...ring.values()].reduce((sum, jobs) => sum + jobs.length, 0)

/** As many jobs of others as have a turn before ours, and our own that are queued before. */
function before(sizes: [key: string, size: number][], own: string, ownBefore?: number): number {
  const mine = ownBefore ?? sizes.find(([key]) => key === own)?.[1] ?? 0
  return sizes.reduce((sum, [key, size]) => (key === own ? sum : sum + Math.min(size, mine + 1)), mine)
}
