import type { Config } from '../config/schema/schema.ts'
import { STYLE_SOURCE } from './style.ts'

/**
 * Headers of every page. No script runs but the one for keys, and nothing else is fetched, whatever a trait or a message holds.
 * Addresses of pages carry flow ids and logout tokens, so no page sends a Referer. Since that policy makes browsers send
 * `Origin: null` with forms, no route may check a form by its Origin.
 * @param script address of the script that the page has
 * @param formTargets origins that the forms of the page may lead to, redirects included; undefined: any. Browsers hold the
 *   whole chain of redirects against the policy, and stop it without a word
 */
export function pageHeaders(
  formTargets: readonly string[] | undefined,
  inlineStyle: boolean,
  script?: string,
): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `style-src ${inlineStyle ? STYLE_SOURCE : "'self'"}`,
    'img-src data:',
    ...(script === undefined ? [] : [`script-src ${script}`]),
    ...(formTargets === undefined ? [] : [`form-action ${["'self'", ...formTargets].join(' ')}`]),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ]
  return {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': policy.join('; '),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'x-robots-tag': 'noindex',
    'cross-origin-opener-policy': 'same-origin',
  }
}

/**
 * Where a form may lead: this server under its public name, and all addresses to which the configuration lets a flow return.
 * Chromium checks `form-action` for each redirect that follows a form, so the origin of a `return_to` must be in it.
 */
export function formTargets(config: Config, publicBaseUrl: string): string[] {
  const known = targets.get(config)
  if (known) return known
  const { allowed_return_urls: allowed } = config.selfservice
  const found = [publicBaseUrl, ...allowed, ...addressesIn(config.selfservice)].flatMap(sourceOf)
  const list = [...new Set(found)]
  targets.set(config, list)
  return list
}

const targets = new WeakMap<Config, string[]>()

/** The keys of addresses that a browser is sent to, at many depths. */
const ADDRESS_KEYS = new Set(['ui_url', 'default_browser_return_url'])

function addressesIn(tree: object): string[] {
  return Object.entries(tree).flatMap(([key, value]) => {
    if (typeof value === 'string') return ADDRESS_KEYS.has(key) ? [value] : []
    return typeof value === 'object' && value !== null ? addressesIn(value) : []
  })
}

/** The default of `ui_url`: a page about a missing setting, on a site that is not the operator's. */
const FALLBACK = /^https:\/\/www\.ory\.sh\/kratos\/docs\/fallback\//

/** An origin, also one with a wildcard; for an app's own scheme, that scheme. A policy cannot name an IPv6 address. */
function sourceOf(url: string): string[] {
  const [, scheme = '', host = ''] = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?/i.exec(url) ?? []
  if (scheme === '' || FALLBACK.test(url) || NEVER.has(scheme.toLowerCase())) return []
  if (!/^https?$/i.test(scheme)) return [`${scheme.toLowerCase()}:`]
  return /^(\*\.)?[a-z0-9.-]+(:\d+)?$/i.test(host) ? [`${scheme}://${host}`.toLowerCase()] : []
}

const NEVER = new Set(['javascript', 'data', 'vbscript', 'blob', 'file', 'about'])
