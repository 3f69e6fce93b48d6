import { connect, createServer, type Socket } from 'node:net'
import type { Scope } from './db.ts'

export interface Proxy {
  /** the address with the proxy in place of the server */
  url: string
  /** from now on nothing passes, and nobody is told: a cable pulled */
  silence(): void
  /** breaks every connection, and each new one at once: a server that is gone */
  cut(): void
  /** what the server sends takes this long to arrive, milliseconds */
  delay(ms: number): void
  /** new connections lead to this server from now on, as when a name or a virtual address moves; open ones stay */
  leadTo(url: string): void
  /** new connections work again; those that fell silent stay silent */
  restore(): void
  /** connections that are open on the side of the client */
  open(): number
}

/**
 * Stands between client and server as a network does, or as a pooler: `refuses` is a word that the first message may
 * not hold, as PgBouncer refuses settings that it does not know.
 */
export async function proxyTo(t: Scope, url: string, options: { refuses?: string } = {}): Promise<Proxy> {
  let target = new URL(url)
  const clients = new Set<Socket>()
  let silent = false
  let away = false
  let delayMs = 0
  const server = createServer((client) => {
    if (away) return void client.destroy()
    clients.add(client)
    client.on('close', () => clients.delete(client)).on('error', () => {})
    if (silent) return
    const upstream = connect(Number(target.port), target.hostname).on('error', () => client.destroy())
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
    upstream.on('data', (chunk) => {
      const pass = () => silencedBy.has(client) || client.destroyed || client.write(chunk)
      if (delayMs > 0) setTimeout(pass, delayMs)
      else pass()
    })
    client.once('data', (first) => {
      if (options.refuses && first.includes(options.refuses)) client.end(refusal(options.refuses))
      else upstream.write(first)
      client.on('data', (chunk) => silencedBy.has(client) || upstream.write(chunk))
    })
  })
  const silencedBy = new WeakSet<Socket>()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    for (const client of clients) client.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String((server.address() as { port: number }).port)
  return {
    url: through.href,
    silence() {
      silent = true
      for (const client of clients) silencedBy.add(client)
    },
    cut() {
      away = true
      for (const client of clients) client.destroy()
    },
    delay(ms) {
      delayMs = ms
    },
    leadTo(other) {
      target = new URL(other)
    },
    restore() {
      silent = false
      away = false
      delayMs = 0
    },
    open: () => clients.size,
  }
}

/** An ErrorResponse of the protocol, as PgBouncer words it. */
function refusal(word: string): Buffer {
  const fields = `SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: ${word}\0\0`
  const message = Buffer.alloc(5 + fields.length)
  message.write('E')
  message.writeInt32BE(4 + fields.length, 1)
  message.write(fields, 5)
  return message
}
