import { isIP } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isLoopback, socketHost } from '../../config/listen-host.ts'
import type { Config } from '../../config/schema/schema.ts'
import { parseUrl } from '../base/url.ts'
import { forbidden } from './errors.ts'

export interface WebPageGuardDeps {
  config(): Config
  /** the machine's name */
  hostname: string
}

/** A DNS name has 253 characters at most; with brackets and a port it stays below this. */
const MAX_HOST = 262
/** Top labels that no attacker can register: such names are answered by a network's own DNS or not at all. */
const OWN_NETWORK = /(^|\.)(localhost|local|internal|svc|test|lan|home\.arpa)$/
/** Probes of load balancers name hosts that are not configured, and learn only whether the process is well. */
const PROBES = new Set(['/health/alive', '/health/ready'])

/**
 * The admin port authenticates no one, so a web page that is open on a machine which reaches the port could do
 * everything: by a form, an image or a script of another site, or by a DNS name of the page's own site that leads to the
 * port's address after the page has loaded (DNS rebinding). Browsers send headers that show both; other programs do not.
 * @throws 403 in the hook, before anything else of the request is read
 */
export function refuseWebPages(app: FastifyInstance, d: WebPageGuardDeps): void {
  app.addHook('onRequest', (req, _reply, done) => {
    const reason = PROBES.has(req.routeOptions.url ?? '')
      ? originRefused(req, d.config())
      : (originRefused(req, d.config()) ?? hostRefused(req, d))
    done(reason === undefined ? undefined : forbidden(reason))
  })
}

function originRefused(req: FastifyRequest, config: Config): string | undefined {
  const { origin } = req.headers
  if (origin !== undefined && config.lethe.admin.allowed_origins.includes(origin.toLowerCase())) return undefined
  const site = req.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return refusal('The request comes from a page of another site.')
  if (origin !== undefined && !isOwnOrigin(req, origin, config) && !(reads(req) && isPageOrigin(origin, config)))
    return refusal('The request comes from a page of another origin.')
  return undefined
}

/** Methods that change nothing. A page cannot read their answers either, since there is no CORS here. */
const reads = ({ method }: FastifyRequest) => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'

/** Origins that the operator has configured for the public port: their requests here are answered as in Kratos. */
function isPageOrigin(origin: string, { selfservice }: Config): boolean {
  const sent = originOf(origin)
  const pages = [selfservice.default_browser_return_url, ...Object.values(selfservice.flows).map(pageOf)]
  return sent !== undefined && pages.some((url) => url !== undefined && originOf(url) === sent)
}

const pageOf = (flow: object) => ('ui_url' in flow && typeof flow.ui_url === 'string' ? flow.ui_url : undefined)

const refusal = (what: string) =>
  `${what} The admin port is for programs of your own, and for its own page. Name the origin in lethe.admin.allowed_origins if this page may use it.`

/** Where TLS ends at a proxy, the page is `https` though the request is not. */
function isOwnOrigin(req: FastifyRequest, origin: string, config: Config): boolean {
  const sent = originOf(origin)
  if (sent === undefined) return false
  const { base_url } = config.serve.admin
  if (base_url !== undefined && sent === originOf(base_url)) return true
  const host = req.headers.host ?? ''
  if (host === '' || host.length > MAX_HOST) return false
  const encrypted = 'encrypted' in req.socket && req.socket.encrypted === true
  return sent === originOf(`https://${host}`) || (!encrypted && sent === originOf(`http://${host}`))
}

function originOf(url: string): string | undefined {
  const origin = url.length > MAX_HOST * 2 ? undefined : parseUrl(url)?.origin
  return origin === 'null' ? undefined : origin
}

/**
 * A page can only use a DNS name of its own site. On a loopback address no name but the machine's own leads here;
 * elsewhere programs may use any name, but a browser must use a known one.
 */
function hostRefused(req: FastifyRequest, d: WebPageGuardDeps): string | undefined {
  const name = hostName(req.headers.host ?? '')
  const config = d.config()
  if (name === undefined) return UNKNOWN_HOST
  if (name === '' || isIP(name) !== 0 || knownNames(d).has(name)) return undefined
  if (config.lethe.admin.allowed_hosts.some((entry) => fits(entry, name))) return undefined
  const { host } = config.serve.admin
  // No page reaches a Unix socket, and programs write any word as its host.
  if ((host.startsWith('unix:') || !isLoopback(host)) && config.lethe.admin.allowed_hosts.length === 0) {
    if (!name.includes('.') || OWN_NETWORK.test(name) || !isBrowser(req)) return undefined
  } else if (/(^|\.)localhost$/.test(name)) return undefined
  return UNKNOWN_HOST
}

const UNKNOWN_HOST =
  'The name in the Host header is none of the admin port. Name it in lethe.admin.allowed_hosts, or use an address or localhost.'

/** Lower case, without port, brackets and the dot of the root; undefined where it cannot be a host name. */
function hostName(header: string): string | undefined {
  if (header.length > MAX_HOST) return undefined
  const found = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(header)
  return (found?.[1] ?? found?.[2])?.toLowerCase().replace(/\.$/, '')
}

function knownNames({ config, hostname }: WebPageGuardDeps): Set<string> {
  const { host, base_url } = config().serve.admin
  const base = parseUrl(base_url ?? '')?.hostname ?? ''
  return new Set(['localhost', hostname, base, socketHost(host)].map((name) => name.toLowerCase()))
}

const fits = (entry: string, name: string) => (entry.startsWith('*.') ? name.endsWith(entry.slice(1)) : name === entry)

/** A page cannot keep its browser from sending one of these headers, except for some old browsers. */
function isBrowser({ headers }: FastifyRequest): boolean {
  const { origin, referer } = headers
  if (origin !== undefined || referer !== undefined || headers['sec-fetch-site'] !== undefined) return true
  return /^Mozilla\//i.test(headers['user-agent'] ?? '')
}
