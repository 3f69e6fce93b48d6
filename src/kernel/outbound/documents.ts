import type { IncomingHttpHeaders } from 'node:http'

export interface ReadDocument<T> {
  value: T
  headers: IncomingHttpHeaders
}

/** Documents of other servers, read when they are needed and kept for a while. */
export interface Documents<T> {
  /** @throws Error if the document was never read, and cannot be read now */
  get(url: string): Promise<T>
  /** Reads a document that turned out to be out of date, every ten seconds at most. */
  again(url: string): Promise<T>
  /** The next `get` is an `again`. */
  doubt(url: string): void
}

/** Seconds that a document is kept if its server does not say, at least, and at most. */
const [KEPT, LEAST, MOST] = [600, 10, 3600]
/** Seconds between two tries where the previous copy counts meanwhile. */
const PAUSE = 10
/** Emptied from the oldest on. */
const MOST_KEPT = 200

interface Kept<T> {
  value: T
  until: number
  /** the last time that it was read before its end, or could not be read */
  tried: number
}

/**
 * A copy counts as long as its server says, and longer while the server is away: a failure is never kept. Requests that
 * wait for the same document share one.
 *
 * @param seconds since 1970
 */
export function createDocuments<T>(read: (url: string) => Promise<ReadDocument<T>>, seconds: () => number) {
  const known = new Map<string, Kept<T>>()
  const underWay = new Map<string, Promise<T>>()
  const doubted = new Set<string>()

  async function fetchOnce(url: string): Promise<T> {
    const old = known.get(url)
    try {
      const { value, headers } = await read(url)
      const tried = old?.tried ?? Number.NEGATIVE_INFINITY
      keep(url, { value, until: seconds() + lifetimeOf(headers['cache-control']), tried })
      return value
    } catch (error) {
      if (old === undefined) throw error
      old.tried = seconds()
      return old.value
    }
  }

  function keep(url: string, one: Kept<T>): void {
    known.delete(url)
    known.set(url, one)
    for (const oldest of known.keys()) {
      if (known.size <= MOST_KEPT) break
      known.delete(oldest)
    }
  }

  function fetchShared(url: string): Promise<T> {
    const shared = underWay.get(url)
    if (shared) return shared
    const one = fetchOnce(url).finally(() => underWay.delete(url))
    underWay.set(url, one)
    return one
  }

  function again(url: string): Promise<T> {
    const old = known.get(url)
    if (old === undefined) return fetchShared(url)
    if (seconds() - old.tried < PAUSE) return underWay.get(url) ?? Promise.resolve(old.value)
    old.tried = seconds()
    return fetchShared(url)
  }

  async function get(url: string): Promise<T> {
    const old = known.get(url)
    if (old === undefined) return fetchShared(url)
    if (doubted.delete(url) || seconds() >= old.until) return again(url)
    return old.value
  }

  const documents: Documents<T> = {
    get,
    again,
    doubt(url) {
      if (known.has(url)) doubted.add(url)
    },
  }
  return documents
}

/** @see RFC 9111 §5.2.2 */
function lifetimeOf(cacheControl: string | undefined): number {
  if (cacheControl === undefined) return KEPT
  if (/\bno-(?:store|cache)\b/i.test(cacheControl)) return LEAST
  const [, age] = /\bmax-age="?(\d{1,9})/i.exec(cacheControl) ?? []
  return age === undefined ? KEPT : Math.min(Math.max(Number(age), LEAST), MOST)
}
