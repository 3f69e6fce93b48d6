import { BlockList, isIPv4, isIPv6 } from 'node:net'

/**
 * Special-purpose addresses that are not globally reachable, and multicast.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 */
const SPECIAL_IPV4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private use
  '100.64.0.0/10', // shared with a carrier
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link local, and with it the metadata of cloud machines
  '172.16.0.0/12', // private use
  '192.0.0.0/24', // IETF protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays, no longer in use
  '192.168.0.0/16', // private use
  '198.18.0.0/15', // benchmarking
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/3', // multicast, reserved, broadcast
]

/**
 * What is special inside 2000::/3; outside of it nothing is globally reachable but what embeds an IPv4 address.
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const SPECIAL_IPV6 = [
  '2001::/23', // IETF protocol assignments: Teredo, benchmarking, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '3fff::/20', // documentation
]

/** Where an IPv4 address stands inside an IPv6 address: the IPv4 address is then what is reached. */
const EMBEDDED = [
  { net: '::/96', at: 12 }, // IPv4-compatible
  { net: '::ffff:0:0/96', at: 12 }, // IPv4-mapped
  { net: '::ffff:0:0:0/96', at: 12 }, // IPv4-translated
  { net: '64:ff9b::/96', at: 12 }, // NAT64; its local-use prefix 64:ff9b:1::/48 is closed, since it leads to one's own network
  { net: '2002::/16', at: 2 }, // 6to4
] as const

const specialIpv4 = listOf(SPECIAL_IPV4)
const specialIpv6 = listOf(SPECIAL_IPV6)
const global = listOf(['2000::/3'])
const embedding = EMBEDDED.map(({ net, at }) => ({ list: listOf([net]), at }))

/** Whether an address is not one of the public internet, also because of an IPv4 address inside it. */
export function isPrivateAddress(address: string): boolean {
  if (isIPv4(address)) return specialIpv4.check(address, 'ipv4')
  if (!isIPv6(address)) return true
  // a zone (`fe80::1%eth0`) makes sense for local addresses only
  if (address.includes('%')) return true
  for (const { list, at } of embedding)
    if (list.check(address, 'ipv6'))
      return specialIpv4.check(
        bytesOf(address)
          .subarray(at, at + 4)
          .join('.'),
        'ipv4',
      )
  return !global.check(address, 'ipv6') || specialIpv6.check(address, 'ipv6')
}

/** The sixteen bytes of an IPv6 address. WHATWG writes the tail of a dotted one in hexadecimal too. */
function bytesOf(address: string): Uint8Array {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text: string | undefined) => (text ? text.split(':').map((group) => Number.parseInt(group, 16)) : [])
  const [front, back] = [groups(head), groups(tail)]
  const all = [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back]
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 255]))
}

function listOf(nets: readonly string[]): BlockList {
  const list = new BlockList()
  for (const net of nets) {
    const [address = '', bits] = net.split('/')
    list.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4')
  }
  return list
}
