import { BlockList, isIPv4, isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'

export interface DeviceFacts {
  ip_address: string
  user_agent: string
  location: string
}

const MAX_ADDRESS = 50
const MAX_TEXT_BYTES = 512

const PRIVATE = new BlockList()
for (const [net, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const)
  PRIVATE.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  PRIVATE.addSubnet(net, bits, 'ipv6')

function isPrivate(address: string): boolean {
  if (isIPv4(address)) return PRIVATE.check(address, 'ipv4')
  if (isIPv6(address)) return PRIVATE.check(address, 'ipv6')
  return false
}

function header(req: FastifyRequest, name: string): string {
  const value = req.headers[name]
  return (Array.isArray(value) ? value[0] : value)?.trim() ?? ''
}

/** The address that Kratos would note: proxy headers in its order, else the peer as `host:port`. Cut to the column. */
function clientAddress(req: FastifyRequest): string {
  for (const name of ['true-client-ip', 'cf-connecting-ip', 'x-real-ip']) {
    const value = header(req, name)
    if (value !== '') return value
  }
  const forwarded = header(req, 'x-forwarded-for')
  if (forwarded !== '') {
    const hops = forwarded.split(',').map((hop) => hop.trim())
    return hops.reverse().find((hop) => !isPrivate(hop)) ?? ''
  }
  const { remoteAddress = '', remotePort } = req.socket
  return remotePort === undefined
    ? remoteAddress
    : `${isIPv6(remoteAddress) ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`
}

/** Cuts at a character border; NUL cannot be stored. Header bytes arrive as Latin-1 and are UTF-8 in truth. */
function cutBytes(text: string, max: number): string {
  const bytes = Buffer.from(text, 'latin1')
  const utf8 = new TextDecoder().decode(bytes.subarray(0, max)).replaceAll('\0', '')
  return utf8.endsWith('\uFFFD') && bytes.length > max ? utf8.replace(/\uFFFD+$/, '') : utf8
}

/** What is noted of the device at sign-in. @see Kratos httpx ClientIP, session device */
export function deviceFacts(req: FastifyRequest): DeviceFacts {
  const place = ['cf-ipcity', 'cf-ipcountry'].map((name) => header(req, name)).filter((part) => part !== '')
  return {
    ip_address: cutBytes(clientAddress(req), MAX_ADDRESS),
    user_agent: cutBytes(header(req, 'user-agent'), MAX_TEXT_BYTES),
    location: cutBytes(place.join(', '), MAX_TEXT_BYTES),
  }
}
