import { parseUrl } from '../base/url.ts'
import { badRequest, returnToForbidden } from './errors.ts'

export interface ReturnToRules {
  /** `selfservice.allowed_return_urls` */
  allowed: readonly string[]
  /** the server's own base URL: everything below its /self-service is allowed */
  publicBaseUrl: string
  /** completes a relative value and is the answer when none was asked for */
  fallback: string
}

/** Schemes that a browser runs or opens itself; no allow list may open them. */
const NEVER = new Set(['javascript:', 'data:', 'vbscript:', 'blob:', 'file:', 'about:', 'filesystem:', 'view-source:'])

/**
 * Decides where a browser may be sent. The value is resolved as a browser would (WHATWG URL), compared with the allow
 * list in that form, and that form is what is sent, so that no reading of it can differ from the one that was checked.
 * @throws 400 `self_service_flow_return_to_forbidden`
 * @see https://url.spec.whatwg.org/#url-parsing
 */
export function resolveReturnTo(requested: string, rules: ReturnToRules): string {
  if (requested === '') return rules.fallback
  const target = parse(requested, rules.fallback)
  if (target === undefined) throw badRequest('Unable to parse the return_to query parameter as an URL: it is not one.')
  const allowed = [...rules.allowed, `${rules.publicBaseUrl.replace(/\/+$/, '')}/self-service`]
  if (!isSafe(target) || !allowed.some((entry) => matches(target, entry)))
    throw returnToForbidden(shown(requested, target))
  return asGiven(requested, target)
}

/** A bare origin stays bare: Kratos sends `https://host` without the slash that the parser adds. */
function asGiven(requested: string, target: URL): string {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#\\]*$/i.test(requested) ? target.href.replace(/\/$/, '') : target.href
}

function parse(requested: string, fallback: string): URL | undefined {
  return parseUrl(requested, parseUrl('/', fallback)?.href)
}

/** What the error names: the value as given when it is absolute, else as it was completed. */
function shown(requested: string, target: URL): string {
  return /^[a-z][a-z0-9+.-]*:/i.test(requested) ? requested : target.href
}

function isSafe(target: URL): boolean {
  return !NEVER.has(target.protocol) && target.username === '' && target.password === ''
}

function matches(target: URL, entry: string): boolean {
  const wildcard = /^([a-z][a-z0-9+.-]*:\/\/)\*\.([^/?#]+)(.*)$/i.exec(entry)
  const plain = wildcard ? `${wildcard[1]}${wildcard[2]}${wildcard[3]}` : entry
  const allowed = parseUrl(plain)
  if (allowed === undefined) return false
  if (allowed.protocol !== target.protocol || allowed.port !== target.port) return false
  return hostMatches(target, allowed, wildcard !== null) && pathMatches(target, allowed)
}

function hostMatches(target: URL, allowed: URL, wildcard: boolean): boolean {
  // A wildcard over a single label such as `*.com` would allow most of the internet.
  if (wildcard) return allowed.hostname.includes('.') && isBelow(target.hostname, allowed.hostname)
  return allowed.hostname === target.hostname
}

/** One label or more in front, and none of them empty. */
function isBelow(host: string, parent: string): boolean {
  return host.endsWith(`.${parent}`) && host.split('.').every((label) => label !== '')
}

/**
 * Kratos compares paths by characters, so `/app` allows `/application` too; teams rely on it. The target's dot segments
 * are resolved by then, also the encoded ones, so nothing climbs out of the prefix.
 */
function pathMatches(target: URL, allowed: URL): boolean {
  if (/%2e|%2f|%5c|\\/i.test(target.pathname) && allowed.pathname !== '/') return false
  return (target.pathname || '/').startsWith(allowed.pathname || '/')
}
