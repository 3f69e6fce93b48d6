import { createServer } from 'node:net'

/**
 * Below the ports that systems give to outgoing connections and to servers that name none (Linux from 32768, others from
 * 49152): a port of those can be gone before a program has started, or while it is started again. Each process of tests has
 * its own few.
 */
const FIRST = 10_240
const SLOTS = 640
const EACH = 32

let given = 0

/** A port of the loopback that nobody listens on, and nobody else will be given. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < EACH; tries++) {
    const port = FIRST + (process.pid % SLOTS) * EACH + (given++ % EACH)
    if (await isFree(port)) return port
  }
  throw new Error(`each of the ${EACH} ports that this process may use for tests is taken`)
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
