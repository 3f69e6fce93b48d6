import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { get as httpGet, type IncomingMessage, type RequestOptions } from 'node:http'
import { get as httpsGet } from 'node:https'
import { BlockList, isIP, isIPv6 } from 'node:net'

export interface FetchRules {
  /** `clients.http.disallow_private_ip_ranges` */
  disallowPrivateIps: boolean
  /** `clients.http.private_ip_exception_urls`, compared as they are */
  privateIpExceptions: readonly string[]
  /** @default 3; 1 where a request waits for the answer */
  tries?: number
}

const TRIES = 3
/** Pause before the second and the third try; together about the three seconds that Kratos takes. */
const PAUSE_MS = [500, 1500]
const TIMEOUT_MS = 5000

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
 * Gets a text over HTTP: a few tries, no redirects, at most `maxBytes`. The address is judged when the connection is
 * made, on the address that is connected to: a name that is looked up twice can answer differently.
 *
 * @throws Error without the address, so that a password in it is not shown
 */
export async function fetchText(url: string, maxBytes: number, rules: FetchRules): Promise<string> {
  const tries = rules.tries ?? TRIES
  let failure = new Error('cannot be fetched')
  for (let attempt = 1; attempt <= tries; attempt++) {
    try {
      return await fetchOnce(url, maxBytes, rules.disallowPrivateIps && !rules.privateIpExceptions.includes(url))
    } catch (cause) {
      failure = new Error(`cannot be fetched: ${(cause as Error).message}`, { cause })
      if (cause instanceof Refused) break
    }
    const pause = PAUSE_MS[attempt - 1]
    if (pause !== undefined && attempt < tries) await new Promise((done) => setTimeout(done, pause))
  }
  throw failure
}

/** Trying again would not help. */
class Refused extends Error {}

function fetchOnce(url: string, maxBytes: number, publicOnly: boolean): Promise<string> {
  const { hostname } = new URL(url)
  const literal = hostname.replace(/^\[|\]$/g, '')
  if (publicOnly && isIP(literal) !== 0 && isPrivateAddress(literal)) return Promise.reject(privateAddress())
  const options: RequestOptions = {
    timeout: TIMEOUT_MS,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { accept: 'application/json' },
    ...(publicOnly ? { lookup: publicLookup } : {}),
  }
  return new Promise((done, failed) => {
    const get = url.startsWith('https:') ? httpsGet : httpGet
    const request = get(url, options, (response) => {
      readText(response, maxBytes).then(done, (error) => {
        request.destroy()
        failed(error)
      })
    })
    request.on('error', failed)
  })
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

async function readText(response: IncomingMessage, maxBytes: number): Promise<string> {
  if (response.statusCode !== 200) {
    const answer = `answered with status ${response.statusCode}`
    throw (response.statusCode ?? 500) < 500 ? new Refused(answer) : new Error(answer)
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new Refused(`is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
