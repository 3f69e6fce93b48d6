import { BlockList, isIPv4, isIPv6, SocketAddress } from 'node:net'

/** `[` 39 letters and a zone `]:port`, with room. */
const MAX_LENGTH = 64

/**
 * An IP address as people and proxies write it: with a port, in brackets or quotes, with the zone of an interface, or an
 * IPv4 address inside IPv6. Returned in one spelling.
 * @returns undefined for anything else
 */
export function parseAddress(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const bare = text.trim().replace(/^"(.*)"$/, '$1')
  const [, host = bare] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(bare) ?? /^([\d.]+):\d{1,5}$/.exec(bare) ?? []
  if (isIPv4(host)) return host
  if (!isIPv6(host)) return undefined
  const address = new SocketAddress({ address: host.replace(/%.*$/, ''), family: 'ipv6' }).address
  const mapped = /^::ffff:([\d.]+)$/.exec(address)
  return mapped?.[1] ?? address
}

/**
 * The network of one household or server: an IPv4 address, or a /64 of IPv6, since a host there can use every address of it.
 * @param address as `parseAddress` returns it
 */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const groups = groupsOf(address)
  // NAT64 maps every IPv4 address into one network.
  if (groups.slice(0, 6).join(':') === '64:ff9b:0:0:0:0') {
    const [high, low] = groups.slice(6).map((group) => Number.parseInt(group, 16)) as [number, number]
    return [high >> 8, high & 255, low >> 8, low & 255].join('.')
  }
  return groups.slice(0, 4).join(':')
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): string[] {
  const [head = '', tail = ''] = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, asGroups).split('::')
  const [before, after] = [head, tail].map((part) => (part === '' ? [] : part.split(':'))) as [string[], string[]]
  return [...before, ...Array(8 - before.length - after.length).fill('0'), ...after]
}

const asGroups = (_: string, ...bytes: string[]) =>
  [0, 2].map((at) => (Number(bytes[at]) * 256 + Number(bytes[at + 1])).toString(16)).join(':')

/** @param ranges addresses and CIDRs, as the configuration has checked them */
export function addressSet(ranges: readonly string[]): (address: string) => boolean {
  const set = new BlockList()
  for (const range of ranges) {
    const [net = '', bits] = range.split('/')
    const family = isIPv4(net) ? 'ipv4' : 'ipv6'
    set.addSubnet(net, Number(bits ?? (family === 'ipv4' ? 32 : 128)), family)
  }
  return (address) => address !== '' && set.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}

/** Addresses inside a network: loopback, link-local, private, and carrier-grade NAT. */
export const isPrivate = addressSet([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '100.64.0.0/10',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
])
