import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { addressSet, isPrivate, networkOf, parseAddress } from '../base/address.ts'

/** Who sends a request, as far as it can be believed. */
export interface Client {
  /** IP address; empty when unknown */
  address: string
  /** of a client that connects by itself */
  port?: number | undefined
  /** what limits count by: an IPv4 address or a /64 of IPv6; empty when unknown */
  network: string
  /** many people may stand behind this address, none of whom must pay for another */
  shared: boolean
  /** a named proxy hands the request on, so what it says of the client counts */
  believed: boolean
}

/** Who is at the other end of a connection. */
interface Peer {
  /** a proxy that is named */
  trusted: boolean
  /** of this machine or its network, as proxies are */
  inside: boolean
  /** when it speaks for itself */
  client: Client
}

declare module 'fastify' {
  interface FastifyRequest {
    client: Client
  }
}

export interface ClientOptions {
  /** addresses and ranges, `unix` for whoever connects over a Unix socket */
  trustedProxies: readonly string[]
  /** hears once of a proxy that is not named, by its address */
  onUnnamedProxy?: ((peer: string) => void) | undefined
}

/** Headers of one address each, for proxies that send no `X-Forwarded-For`, in the order in which Kratos reads them. */
const SINGLE = ['true-client-ip', 'cf-connecting-ip', 'x-real-ip']
const FORWARDS = ['x-forwarded-for', 'forwarded', ...SINGLE]
const UNIX = 'unix'
const UNKNOWN = ''

/**
 * Decides who the client is, in this one place: limits, devices, events and the log all ask `req.client`. Only proxies
 * that are named are believed. Whoever else sends such headers would write any address into the log, and get a fresh
 * limit with each request.
 */
export function installClient(app: FastifyInstance, options: ClientOptions): void {
  const { trustedProxies } = options
  const isTrusted = addressSet(trustedProxies.filter((range) => range !== UNIX))
  const trustsUnix = trustedProxies.includes(UNIX)
  let told = false

  /** What does not change while a connection is open: judging it costs as much as a tenth of a session's check. */
  const peers = new WeakMap<Socket, Peer>()
  function peerOf({ socket }: FastifyRequest): Peer {
    let found = peers.get(socket)
    if (found === undefined) {
      const { remoteAddress } = socket
      const address = remoteAddress === undefined ? UNKNOWN : (parseAddress(remoteAddress) ?? UNKNOWN)
      const onUnix = remoteAddress === undefined && typeof app.server.address() === 'string'
      found = {
        trusted: onUnix ? trustsUnix : isTrusted(address),
        inside: address === UNKNOWN || isPrivate(address),
        client: {
          address,
          port: socket.remotePort,
          network: networkOf(address),
          shared: address === UNKNOWN,
          believed: false,
        },
      }
      peers.set(socket, found)
    }
    return found
  }

  function find(req: FastifyRequest): Client {
    const { trusted, inside, client } = peerOf(req)
    if (trusted) return behindProxy(req, client.address)
    if (!inside || !FORWARDS.some((name) => req.headers[name] !== undefined)) return client
    if (!told) {
      told = true
      options.onUnnamedProxy?.(client.address === UNKNOWN ? UNIX : client.address)
    }
    return { ...client, shared: true }
  }

  function behindProxy(req: FastifyRequest, peer: string): Client {
    const address = forwardedFor(req) ?? single(req)
    if (address === undefined) return { address: peer, network: networkOf(peer), shared: true, believed: true }
    return { address, network: networkOf(address), shared: address === UNKNOWN, believed: true }
  }

  /**
   * The last address that is no named proxy: each proxy adds whom it saw, and what stands before is the client's own
   * claim. A proxy that hides whom it saw (`unknown`) leaves the client unknown.
   */
  function forwardedFor(req: FastifyRequest): string | undefined {
    const value = headerText(req, 'x-forwarded-for')
    if (value === '') return undefined
    for (let end = value.length; ; ) {
      const comma = value.lastIndexOf(',', end - 1)
      const address = parseAddress(value.slice(comma + 1, end))
      if (address === undefined) return UNKNOWN
      if (comma <= 0 || !isTrusted(address)) return address
      end = comma
    }
  }

  app.decorateRequest('client')
  // At once, since a socket that was closed does not know its peer any more.
  app.addHook('onRequest', (req, _reply, done) => {
    req.client = find(req)
    done()
  })
}

function single(req: FastifyRequest): string | undefined {
  const name = SINGLE.find((header) => headerText(req, header) !== '')
  return name === undefined ? undefined : (parseAddress(headerText(req, name)) ?? UNKNOWN)
}

/** Several lines of one header are one list. */
function headerText(req: FastifyRequest, name: string): string {
  const value = req.headers[name]
  return (Array.isArray(value) ? value.join(',') : (value ?? '')).trim()
}
