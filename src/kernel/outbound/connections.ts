import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Socket } from 'node:net'

/** Connections that are kept between requests. */
export interface Connections {
  /** Connections made under the address guard are kept apart from others. */
  agent(secure: boolean, guarded: boolean): HttpAgent
  close(): void
}

/** Of one process, to all servers: beyond, a request waits, within its own time. */
const MOST_IN_ALL = 1024
/** Idle ones to one server. */
const MOST_IDLE = 16
const IDLE_MS = 30_000

export function createConnections(): Connections {
  const options = {
    keepAlive: true,
    keepAliveMsecs: 10_000,
    timeout: IDLE_MS,
    scheduling: 'lifo',
    maxTotalSockets: MOST_IN_ALL,
    maxFreeSockets: MOST_IDLE,
  } as const
  const pairs = [0, 1].map(() => ({
    http: closeOnUnexpectedData(new HttpAgent(options)),
    https: closeOnUnexpectedData(new HttpsAgent(options)),
  }))
  return {
    agent: (secure, guarded) => pairs[guarded ? 1 : 0]![secure ? 'https' : 'http'],
    close() {
      for (const { http, https } of pairs) {
        http.destroy()
        https.destroy()
      }
    },
  }
}

interface Keeping {
  keepSocketAlive(socket: Socket): boolean
  reuseSocket(socket: Socket, request: unknown): void
}

/** Closes a connection that receives data without a request: it would be taken for the next answer. */
function closeOnUnexpectedData<T extends HttpAgent>(agent: T): T {
  const keeping = agent as unknown as Keeping
  const { keepSocketAlive, reuseSocket } = keeping
  const onData = function (this: Socket) {
    this.destroy()
  }
  keeping.keepSocketAlive = (socket) => {
    const keep = keepSocketAlive.call(agent, socket) !== false && socket.readableLength === 0
    if (keep) socket.on('data', onData)
    return keep
  }
  keeping.reuseSocket = (socket, request) => {
    socket.off('data', onData)
    reuseSocket.call(agent, socket, request)
  }
  return agent
}
