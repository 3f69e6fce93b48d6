import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import type { RequestOptions } from 'node:http'
import { isIP } from 'node:net'
import { isPrivateAddress } from './addresses.ts'

/** Which addresses this process may connect to. */
export interface AddressRules {
  /** `clients.http.disallow_private_ip_ranges` */
  disallowPrivateIps: boolean
  /** `clients.http.private_ip_exception_urls`, compared as they are */
  privateIpExceptions: readonly string[]
}

/** The part of the configuration with the allowed addresses. */
export interface HttpClientConfig {
  clients: { http: { disallow_private_ip_ranges: boolean; private_ip_exception_urls: readonly string[] } }
}

export function addressRules({ clients }: HttpClientConfig): AddressRules {
  const { disallow_private_ip_ranges, private_ip_exception_urls } = clients.http
  return { disallowPrivateIps: disallow_private_ip_ranges, privateIpExceptions: private_ip_exception_urls }
}

/** Trying again would not help. */
export class Refused extends Error {}

export const isGuarded = (url: string, rules: AddressRules): boolean =>
  rules.disallowPrivateIps && !rules.privateIpExceptions.includes(url)

/**
 * The lookup of a request to `url` that cannot reach a private address. It checks the address that the socket
 * connects to: a name that is looked up twice can answer differently.
 *
 * @throws Refused when the URL itself names a private address
 */
export function guard(url: string): NonNullable<RequestOptions['lookup']> {
  const literal = new URL(url).hostname.replace(/^\[|\]$/g, '')
  if (isIP(literal) !== 0 && isPrivateAddress(literal)) throw privateAddress()
  return publicLookup
}

const privateAddress = () =>
  new Refused(
    'its address is private and clients.http.disallow_private_ip_ranges is set; add the URL to private_ip_exception_urls',
  )

/** Looks up a name. Concurrent calls for one name share the answer: see `shared`. */
export const anyLookup = lookupWith((addresses) => addresses)
const publicLookup = lookupWith((addresses) => addresses.filter(({ address }) => !isPrivateAddress(address)))

function lookupWith(allowed: (addresses: LookupAddress[]) => LookupAddress[]): NonNullable<RequestOptions['lookup']> {
  return (hostname, options, callback) => {
    shared(hostname, options).then(
      (addresses) => {
        const open = allowed(addresses)
        const [first] = open
        if (!first) return callback(privateAddress(), '', 0)
        if (options.all) return (callback as unknown as (e: null, all: LookupAddress[]) => void)(null, open)
        return callback(null, first.address, first.family)
      },
      (error) => callback(error, '', 0),
    )
  }
}

const underWay = new Map<string, Promise<LookupAddress[]>>()

/**
 * A lookup holds one of the four threads of the process while the name server is silent. One for each name, so that
 * a receiver whose name server hangs does not take all of them.
 */
function shared(hostname: string, options: object): Promise<LookupAddress[]> {
  const key = `${hostname} ${JSON.stringify(options)}`
  const known = underWay.get(key)
  if (known) return known
  const answer = new Promise<LookupAddress[]>((resolve, reject) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)))
  }).finally(() => underWay.delete(key))
  underWay.set(key, answer)
  return answer
}
