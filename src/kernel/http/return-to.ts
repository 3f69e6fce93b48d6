import { domainToUnicode } from 'node:url'
import { parseUrl, withoutTrailingSlashes } from '../base/url.ts'
import { badRequest, returnToForbidden } from './errors.ts'
import { parseStrictUrl, type StrictUrl, UrlSyntaxError } from './strict-url.ts'

export interface ReturnToRules {
  /** `selfservice.allowed_return_urls` */
  allowed: readonly string[]
  /** the server's own base URL: everything below its /self-service is allowed */
  publicBaseUrl: string
  /** completes a relative value, and is the result when the request names none */
  fallback: string
}

/** Schemes that a browser runs or opens itself; no allow list may allow them. */
const NEVER = new Set(['javascript:', 'data:', 'vbscript:', 'blob:', 'file:', 'about:', 'filesystem:', 'view-source:'])

/** Scheme, host with port and without a wildcard, and the rest. */
const ABSOLUTE = /^([a-z][a-z0-9+.-]*):\/\/(?:\*\.)?([^/?#]*)(.*)$/is

const PRINTABLE = /^[\x21-\x7e]+$/

/** A value in both readings, which must lead to the same address. */
interface Requested {
  /** literally, completed by the fallback */
  strict: StrictUrl
  /** as a browser follows it */
  target: URL
}

/**
 * Decides where a browser may be sent. The value is read twice, literally and as a browser would (WHATWG URL): both
 * must allow it, and a value that a browser would have to repair first is refused, since no client means it.
 * @throws 400 `self_service_flow_return_to_forbidden`; 400 for a value that is no URL
 * @see https://url.spec.whatwg.org/#url-parsing
 */
export function resolveReturnTo(requested: string, rules: ReturnToRules): string {
  if (requested === '') return rules.fallback
  const strict = completed(parsed(requested), rules.fallback)
  const target = needsMending(requested, strict) ? undefined : parseUrl(requested, parseUrl('/', rules.fallback)?.href)
  const allowed = [...rules.allowed, `${withoutTrailingSlashes(rules.publicBaseUrl)}/self-service`]
  if (target === undefined || !isSafe(target) || !allowed.some((entry) => matches({ strict, target }, entry))) {
    throw returnToForbidden(shown(strict))
  }
  return sent({ strict, target })
}

function parsed(requested: string): StrictUrl {
  try {
    return parseStrictUrl(requested)
  } catch (error) {
    if (!(error instanceof UrlSyntaxError)) throw error
    throw badRequest(`Unable to parse the return_to query parameter as an URL: ${error.message}`, { cause: error })
  }
}

function completed(url: StrictUrl, fallback: string): StrictUrl {
  const [, scheme = '', host = ''] = ABSOLUTE.exec(fallback) ?? []
  return { ...url, scheme: url.scheme || scheme.toLowerCase(), host: url.host || host }
}

/**
 * Whether the two readings can only agree after a repair: backslashes and control characters, white space around, a
 * scheme or slashes without a host, a path that does not begin with a slash.
 */
function needsMending(requested: string, { opaque, path }: StrictUrl): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  if (/[\x00-\x1f\x7f\\]|^\s|\s$/.test(requested) || /%[01][0-9a-f]|%7f/i.test(path)) return true
  if (opaque !== '' || (path !== '' && !path.startsWith('/'))) return true
  return !/^([A-Za-z][A-Za-z0-9+\-.]*:)?\/\/[^/?#]|^\/(?!\/)|^[?#]/.test(requested)
}

/**
 * The address to send: the form that a browser makes of it, so that no other reading is left, except for two things that change
 * nothing and that Kratos keeps: the case of the host, and an empty path.
 */
function sent({ strict: { scheme, host, path }, target }: Requested): string {
  const ascii = PRINTABLE.test(host) ? host : target.host
  return `${scheme}://${ascii}${path === '' ? '' : target.pathname}${target.search}${target.hash}`
}

/** The address in the error: the value as it was completed. */
function shown({ scheme, opaque, userinfo, host, path, query, fragment }: StrictUrl): string {
  if (opaque !== '') return `${scheme}:${opaque}${query}${fragment}`
  const slash = path === '' || path.startsWith('/') ? '' : '/'
  return `${scheme}://${userinfo}${host}${slash}${path.replaceAll('\\', '%5C')}${query}${fragment}`
}

function isSafe(target: URL): boolean {
  return !NEVER.has(target.protocol) && target.username === '' && target.password === ''
}

function matches(requested: Requested, entry: string): boolean {
  const [, scheme = '', host = '', rest = ''] = ABSOLUTE.exec(entry) ?? []
  const allowed = host === '' ? undefined : parseUrl(`${scheme}://${host}${rest}`)
  if (allowed === undefined) return false
  const wildcard = entry.startsWith('*.', scheme.length + 3)
  const { target } = requested
  if (allowed.protocol !== target.protocol || allowed.port !== target.port) return false
  return hostMatches(requested, allowed, host, wildcard) && pathMatches(target, allowed)
}

/** @param written the host of the entry, with its port, without the wildcard */
function hostMatches({ strict, target }: Requested, allowed: URL, written: string, wildcard: boolean): boolean {
  const asked = strict.host.toLowerCase()
  const entries = PRINTABLE.test(written) ? [written.toLowerCase()] : [written.toLowerCase(), allowed.host]
  // A browser reads `127.1`, `０x7f.1` and hosts with invisible letters as another host than the written one.
  if (!isWrittenAsRead(asked, target)) return false
  // A wildcard over a single label such as `*.com` would allow most of the internet.
  if (!wildcard) return allowed.hostname === target.hostname && entries.includes(asked)
  if (!allowed.hostname.includes('.') || !isBelow(target.hostname, allowed.hostname)) return false
  return entries.some((entry) => asked.endsWith(`.${entry}`))
}

function isWrittenAsRead(asked: string, target: URL): boolean {
  const name = asked.replace(/:\d*$/, '')
  return name === target.hostname || name === domainToUnicode(target.hostname)
}

/** One label or more in front, none of them empty. */
function isBelow(host: string, parent: string): boolean {
  return host.endsWith(`.${parent}`) && host.split('.').every((label) => label !== '')
}

/**
 * Kratos compares path prefixes by characters, so `/app` allows `/application` too; teams rely on it. The target's dot segments
 * are resolved by then, also the encoded ones, so nothing leaves the prefix.
 */
function pathMatches(target: URL, allowed: URL): boolean {
  if (/%2e|%2f|%5c|\\/i.test(target.pathname) && allowed.pathname !== '/') return false
  return (target.pathname || '/').startsWith(allowed.pathname || '/')
}
