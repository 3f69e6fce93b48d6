import { randomInt } from 'node:crypto'
import { connect, createServer, type Socket } from 'node:net'
import type { Scope } from './db.ts'

export interface Connections {
  /** how long one lasts, asked for each */
  lifeMs(): number
  /** how long what the server sends is on its way, asked for each */
  delayMs(): number
}

/**
 * Leads each connection to one of the servers at random, to another if that one is not there, and cuts it after a
 * while, so that who talks through it changes server all the time.
 */
export async function balancer(t: Scope, urls: readonly string[], how: Connections): Promise<{ url: string }> {
  const clients = new Set<Socket>()
  const server = createServer((client) => {
    clients.add(client)
    const life = setTimeout(() => client.destroy(), how.lifeMs())
    client
      .on('error', () => {})
      .on('close', () => {
        clients.delete(client)
        clearTimeout(life)
      })
    const first = randomInt(urls.length)
    lead(client, [...urls.slice(first), ...urls.slice(0, first)], how.delayMs())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    for (const client of clients) client.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}` }
}

function lead(client: Socket, [url, ...others]: readonly string[], delayMs: number): void {
  if (url === undefined) return void client.destroy()
  const { hostname, port } = new URL(url)
  const upstream = connect(Number(port), hostname)
  upstream.once('error', () => lead(client, others, delayMs))
  upstream.once('connect', () => {
    upstream.removeAllListeners('error').on('error', () => client.destroy())
    upstream.once('close', () => setTimeout(() => client.destroy(), delayMs))
    client.once('close', () => upstream.destroy())
    client.pipe(upstream)
    upstream.on('data', (chunk) => setTimeout(() => client.destroyed || client.write(chunk), delayMs))
  })
}
