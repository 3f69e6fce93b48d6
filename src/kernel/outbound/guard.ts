import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import type { RequestOptions } from 'node:http'
import { BlockList, isIP, isIPv6 } from 'node:net'

/** Which addresses this process may connect to. */
export interface AddressRules {
  /** `clients.http.disallow_private_ip_ranges` */
  disallowPrivateIps: boolean
  /** `clients.http.private_ip_exception_urls`, compared as they are */
  privateIpExceptions: readonly string[]
}

/** Trying again would not help. */
export class Refused extends Error {}

const PRIVATE = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  PRIVATE.addSubnet(net, bits, 'ipv4')
  PRIVATE.addSubnet(`::ffff:${net}`, 96 + bits, 'ipv6')
}
for (const [net, bits] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  PRIVATE.addSubnet(net, bits, 'ipv6')
}

export function isPrivateAddress(address: string): boolean {
  return PRIVATE.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

/**
 * What a request to `url` needs so that it cannot reach a private address. The address is judged when the connection is
 * made, on the address that is connected to: a name that is looked up twice can answer differently.
 *
 * @throws Refused when the URL itself names a private address
 */
export function guarded(url: string, rules: AddressRules): Pick<RequestOptions, 'lookup'> {
  if (!rules.disallowPrivateIps || rules.privateIpExceptions.includes(url)) return {}
  const literal = new URL(url).hostname.replace(/^\[|\]$/g, '')
  if (isIP(literal) !== 0 && isPrivateAddress(literal)) throw privateAddress()
  return { lookup: publicLookup }
}

const privateAddress = () =>
  new Refused(
    'its address is private and clients.http.disallow_private_ip_ranges is set; add the URL to private_ip_exception_urls',
  )

const publicLookup: NonNullable<RequestOptions['lookup']> = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error) return callback(error, '', 0)
    const open = addresses.filter(({ address }) => !isPrivateAddress(address))
    const [first] = open
    if (!first) return callback(privateAddress(), '', 0)
    if (options.all) return (callback as unknown as (e: null, all: LookupAddress[]) => void)(null, open)
    return callback(null, first.address, first.family)
  })
}
