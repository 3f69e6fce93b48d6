import { request } from 'node:http'

interface Kept {
  name: string
  value: string
  domain: string
  hostOnly: boolean
  path: string
}

/**
 * The cookies of a browser that visits names of one address: kept by name, domain and path, sent longest path first, as
 * RFC 6265 says. Expiry counts, Secure does not.
 */
export class BrowserJar {
  cookies: Kept[] = []
  readonly port: number

  constructor(url: string) {
    this.port = Number(new URL(url).port)
  }

  take(host: string, lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...rest] = line.split(';').map((part) => part.trim())
      const given = Object.fromEntries(
        rest.map((part) => [part.split('=')[0]!.toLowerCase(), part.split('=')[1] ?? '']),
      )
      const domain = (given.domain ?? host).replace(/^\./, '')
      if (!belowDomain(host, domain) || !domain.includes('.')) continue
      const at = pair.indexOf('=')
      const cookie = { domain, hostOnly: given.domain === undefined, path: given.path ?? '/' }
      const named = { ...cookie, name: pair.slice(0, at), value: pair.slice(at + 1) }
      this.cookies = this.cookies.filter((old) => !same(old, named))
      if (given['max-age'] === undefined || Number(given['max-age']) > 0) this.cookies.push(named)
    }
  }

  header(host: string, path: string): string {
    return this.cookies
      .filter((c) => (c.hostOnly ? host === c.domain : belowDomain(host, c.domain)) && belowPath(path, c.path))
      .sort((a, b) => b.path.length - a.path.length)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
  }

  named(name: string): Kept[] {
    return this.cookies.filter((cookie) => cookie.name.startsWith(name))
  }

  /** Asks the server under a name, with and for the cookies of that name. */
  send(method: string, target: string, body?: unknown): Promise<{ status: number; lines: string[]; body: any }> {
    const { hostname, pathname, search } = new URL(target)
    const headers: Record<string, string> = { host: hostname, accept: 'application/json' }
    const cookie = this.header(hostname, pathname)
    if (cookie !== '') headers.cookie = cookie
    if (body !== undefined) headers['content-type'] = 'application/json'
    return new Promise((resolve, reject) => {
      const options = { hostname: '127.0.0.1', port: this.port, method, path: pathname + search, headers }
      const req = request(options, async (res) => {
        const lines = res.headers['set-cookie'] ?? []
        this.take(hostname, lines)
        const text = (await res.toArray()).join('')
        resolve({ status: res.statusCode!, lines, body: text === '' ? undefined : JSON.parse(text) })
      })
      req.on('error', reject)
      req.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }
}

const same = (a: Kept, b: Kept) =>
  a.name === b.name && a.domain === b.domain && a.hostOnly === b.hostOnly && a.path === b.path
const belowDomain = (host: string, domain: string) => host === domain || host.endsWith(`.${domain}`)
const belowPath = (path: string, prefix: string) =>
  path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`)
