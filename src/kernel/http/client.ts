import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { addressSet, isPrivate, networkOf, parseAddress } from '../base/address.ts'

/** The client of a request, as far as its address is known. */
export interface Client {
  /** IP address; empty when unknown */
  address: string
  /** undefined behind a proxy */
  port?: number | undefined
  /** the key of limits: an IPv4 address or a /64 of IPv6; empty when unknown */
  network: string
  /** many people may share this address, and none of them must be limited for what another does */
  shared: boolean
  /** a configured proxy passed the request on, so its headers about the client count */
  believed: boolean
}

/** The other end of a connection. */
interface Peer {
  /** a configured proxy */
  trusted: boolean
  /** on this machine or in its network, as proxies are */
  inside: boolean
  /** the peer as the client, when it is no proxy */
  client: Client
}

declare module 'fastify' {
  interface FastifyRequest {
    client: Client
  }
}

export interface ClientOptions {
  /** addresses and ranges, `unix` for peers on a Unix socket */
  trustedProxies: readonly string[]
  /** called once for a proxy that is not configured, with its address */
  onUnnamedProxy?: ((peer: string) => void) | undefined
}

/** Headers of one address each, for proxies that send no `X-Forwarded-For`, in the order in which Kratos reads them. */
const SINGLE = ['true-client-ip', 'cf-connecting-ip', 'x-real-ip']
const FORWARDS = ['x-forwarded-for', 'forwarded', ...SINGLE]
const UNIX = 'unix'
const UNKNOWN = ''

/**
 * Decides who the client is, in this one place: limits, devices, events and the log all read `req.client`. Only configured
 * proxies are trusted: any other peer could write any address into the log with such headers, and get a fresh
 * limit with each request.
 * @returns what finds the client of a request that the framework answers without its hooks
 */
export function installClient(app: FastifyInstance, options: ClientOptions): (req: FastifyRequest) => Client {
  const { trustedProxies } = options
  const isTrusted = addressSet(trustedProxies.filter((range) => range !== UNIX))
  const trustsUnix = trustedProxies.includes(UNIX)
  let told = false

  /** Facts of a connection: working them out costs a tenth of a session's check. */
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
   * The last address that is not a configured proxy: each proxy appends its peer, and what stands before is the client's own
   * claim. If a proxy hides its peer (`unknown`), the client is unknown.
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
  // At once, since a closed socket does not know its peer any more.
  app.addHook('onRequest', (req, _reply, done) => {
    req.client = find(req)
    done()
  })
  return find
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
