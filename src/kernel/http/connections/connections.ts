import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { closeGently } from './raw-answers.ts'

/** How a request has ended. */
export interface Outcome {
  /** of the answer; {@link CALLER_GONE} where the connection closed before there was one */
  status: number
  /** the whole answer has been handed to the connection */
  complete: boolean
}

type Listener = (req: FastifyRequest, reply: FastifyReply, outcome: Outcome) => void

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Calls the listener once for each request: when its answer is complete, or when its connection closes before. Fastify's
     * `onResponse` misses the latter, and its `onRequestAbort` those whose body has been read or that wait in a pipeline.
     */
    whenDone(listener: Listener): void
  }
}

export interface Connections {
  /**
   * What came cannot be read as a request. Answers that are due are sent first; then it is refused, and the connection closed.
   * Where an answer would stand in the middle of another one, the connection is closed without it.
   * @param refuse writes that answer, past the framework, and closes
   */
  fault(socket: Socket, status: number, refuse: () => void): void
  /** Tells the listeners of a request that the framework answers without its hooks. */
  watch(reply: FastifyReply): void
}

interface Connection {
  /** whose answers are not complete */
  open: Set<FastifyReply>
  /** the latest one, as long as something of it may still come */
  latest?: FastifyReply | undefined
  /** of what was read last */
  fault?: { status: number; refuse(): void }
  refusedWith?: number
}

/** As nginx has it. */
const CALLER_GONE = 499

/** Knows what is under way on each connection. */
export function installConnections(app: FastifyInstance): Connections {
  const connections = new WeakMap<Socket, Connection>()
  const listeners: Listener[] = []

  function report(reply: FastifyReply, refusedWith = CALLER_GONE): void {
    const complete = reply.raw.writableFinished
    const status = reply.raw.headersSent ? reply.statusCode : refusedWith
    for (const listener of listeners) listener(reply.request, reply, { status, complete })
  }

  function connectionOf(socket: Socket): Connection {
    const known = connections.get(socket)
    if (known) return known
    const made: Connection = { open: new Set() }
    connections.set(socket, made)
    socket.once('close', () => {
      for (const reply of made.open) report(reply, made.refusedWith)
      made.open.clear()
    })
    return made
  }

  function settle(socket: Socket, connection: Connection): void {
    const { open, latest, fault } = connection
    if (!fault) return
    const inBody = latest !== undefined && !latest.request.raw.complete ? latest : undefined
    // A stream has begun and may never end.
    const isDue = (reply: FastifyReply) => reply !== inBody && (!reply.raw.headersSent || reply.raw.writableEnded)
    if ([...open].some(isDue)) return
    const refusesBody = inBody !== undefined && open.has(inBody) && !inBody.raw.headersSent
    if (open.size > (refusesBody ? 1 : 0)) return void socket.destroy()
    if (inBody && !refusesBody) return closeGently(socket)
    connection.refusedWith = fault.status
    fault.refuse()
  }

  app.decorate('whenDone', (listener) => void listeners.push(listener))
  app.addHook('onRequest', (req, reply, done) => {
    const connection = connectionOf(req.raw.socket)
    connection.open.add(reply)
    connection.latest = reply
    done()
  })
  app.addHook('onResponse', (req, reply, done) => {
    done()
    const connection = connections.get(req.raw.socket)
    if (connection?.latest === reply && req.raw.complete) connection.latest = undefined
    // what is sent after the connection has closed was told then
    if (!connection?.open.delete(reply)) return
    report(reply)
    settle(req.raw.socket, connection)
  })
  app.server.on('timeout', (socket: Socket) => {
    // An answer that is still worked on has a limit of its own; one of which the client takes nothing has no other.
    const idle = (connections.get(socket)?.open.size ?? 0) === 0
    if (idle || socket.writableLength > 0) socket.destroy()
  })

  return {
    fault(socket, status, refuse) {
      const connection = connections.get(socket)
      if (connection === undefined) return refuse()
      // Node tells of each further piece again.
      if (connection.fault) return
      connection.fault = { status, refuse }
      settle(socket, connection)
    },
    watch: (reply) => void reply.raw.once('close', () => report(reply)),
  }
}
