import type { Micros } from '../kernel/base/clock.ts'
import { openSecureCookie } from '../kernel/crypto/cookies/securecookie.ts'

export interface SampleOptions {
  name: string
  secrets: readonly string[]
  maxAgeSeconds: number
  now: Micros
}

export type Sample =
  | { kind: 'read'; token: string; secret: number }
  /** authentic, but older than a session may be: refused by Kratos too */
  | { kind: 'tooOld'; secret: number }
  | { kind: 'unreadable' }

/**
 * Reads a session cookie as a server with these settings would.
 * @param text the value alone, `name=value`, or a whole Cookie header
 * @returns `secret`: the position in the list of the one that opened it, from 1
 */
export function readSample(text: string, options: SampleOptions): Sample {
  const value = cookieValue(text.trim(), options.name)
  for (const [index, secret] of options.secrets.entries()) {
    const given = { name: options.name, secrets: [secret], value, now: options.now }
    const young = openSecureCookie({ ...given, maxAgeSeconds: options.maxAgeSeconds })
    const token = young?.values.session_token
    if (token !== undefined) return { kind: 'read', token, secret: index + 1 }
    if (!young && openSecureCookie({ ...given, maxAgeSeconds: 0 })) return { kind: 'tooOld', secret: index + 1 }
  }
  return { kind: 'unreadable' }
}

function cookieValue(text: string, name: string): string {
  const pairs = text.replace(/^cookie:/i, '').split(';')
  const own = pairs.map((pair) => pair.trim()).find((pair) => pair.startsWith(`${name}=`))
  return (own?.slice(name.length + 1) ?? text).replace(/^"(.*)"$/, '$1')
}
