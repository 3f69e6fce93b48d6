import { configKeys } from '../sources/keys.ts'

/** Keys of earlier versions of Kratos that files still have, and their present names. */
const OLD_KEYS: Readonly<Record<string, string>> = {
  'selfservice.whitelisted_return_urls': 'use selfservice.allowed_return_urls',
  'identity.default_schema_url': 'use identity.schemas and identity.default_schema_id',
  'secrets.session': 'use secrets.cookie',
  'selfservice.strategies': 'use selfservice.methods',
  'selfservice.login': 'use selfservice.flows.login',
  'selfservice.registration': 'use selfservice.flows.registration',
  'selfservice.logout': 'use selfservice.flows.logout',
  'selfservice.settings': 'use selfservice.flows.settings',
  'selfservice.verify': 'use selfservice.flows.verification',
  'selfservice.flows.logout.redirect_to': 'use selfservice.flows.logout.after.default_browser_return_url',
  'courier.sms': 'use courier.channels',
  profiling: 'not part of the configuration file',
}

const VALUE_HINTS: readonly (readonly [reason: RegExp, hint: string])[] = [
  [/^expected .*, but got null/, 'an empty section is null: remove it or put something into it'],
  [/ns\|us\|ms\|s\|m\|h/, 'whole numbers with a unit, for instance 24h or 1h30m; there is no unit for days'],
  [/B\|KB\|MB/, 'a whole number with a unit, for instance 128MB'],
]

/** What to do about a refused value or name; undefined when the reason says enough. */
export function hintFor(path: readonly string[], reason?: string): string | undefined {
  const name = path.join('.')
  const old = OLD_KEYS[name]
  if (old !== undefined) return old
  if (reason === undefined) return similar(path)
  for (const [pattern, hint] of VALUE_HINTS) if (pattern.test(reason)) return hint
  if (!reason.startsWith('expected string')) return undefined
  const key = configKeys().find((candidate) => candidate.name === name)
  if (key?.type === 'duration') return 'a text with a unit, for instance 24h'
  if (key?.type === 'byte size') return 'a text with a unit, for instance 128MB'
  return 'put the value in quotes'
}

function similar(path: readonly string[]): string | undefined {
  const parent = path.slice(0, -1).join('.')
  const name = path.at(-1) ?? ''
  for (const key of configKeys()) {
    const own = key.path.at(-1) ?? ''
    if (key.path.slice(0, -1).join('.') === parent && distance(own, name) <= Math.max(1, Math.floor(own.length / 4))) {
      return `did you mean ${key.name}?`
    }
  }
  return undefined
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
