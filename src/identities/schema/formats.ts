import { isIPv4, isIPv6 } from 'node:net'
import { normalisePhone } from '../normalise.ts'
import { isPattern } from './patterns.ts'

type Check = (text: string) => boolean

const bytes = (text: string) => Buffer.byteLength(text)

function isHostname(text: string): boolean {
  const host = text.replace(/\.$/, '')
  if (bytes(host) > 253 || host.startsWith('-')) return false
  return host.split('.').every((label) => /^[A-Za-z0-9-]{0,62}[A-Za-z0-9]$/.test(label))
}

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\u0080-\\u{10ffff}-]+"
const LOCAL_PART = new RegExp(`^[ \\t]*(?:${ATOM}(?:\\.${ATOM})*|"(?:[^"\\\\\\p{Cc}]|\\\\[^\\p{Cc}])*")$`, 'u')

/** RFC 5322 addr-spec with a host name, at most 64 + 254 bytes. Leading blanks are allowed, as in Kratos. */
function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@')
  if (at < 1 || bytes(text) > 254) return false
  const local = text.slice(0, at)
  return bytes(local) <= 64 && LOCAL_PART.test(local) && isHostname(text.slice(at + 1))
}

function isDate(text: string): boolean {
  const m = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  if (!m) return false
  const [year, month, day] = m.slice(1).map(Number) as [number, number, number]
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
  return days !== undefined && day >= 1 && day <= days
}

const TIME = /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:[.,]\d+)?(?:Z|[+-]([01]\d|2[0-4]):[0-5]\d)$/

function isUri(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:/.test(text) && isUriReference(text)
}

function isUriReference(text: string): boolean {
  if (/[\p{Cc}]/u.test(text) || /%(?![0-9A-Fa-f]{2})/.test(text)) return false
  const authority = /^(?:[A-Za-z][A-Za-z0-9+.-]*:)?\/\/([^/?#]*)/.exec(text)?.[1] ?? ''
  return !/[\s<>"]/.test(authority)
}

const isJsonPointer: Check = (text) => /^(?:\/(?:[^~/]|~[01~])*)*$/.test(text)

/** The formats that are checked; others always hold, as JSON schema allows. `no-validate` is Kratos's own. */
export const FORMATS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['date-time', (text) => isDate(text.slice(0, 10)) && text[10] === 'T' && TIME.test(text.slice(11))],
  ['date', isDate],
  ['time', (text) => TIME.test(text)],
  ['hostname', isHostname],
  ['email', isEmail],
  ['tel', (text) => normalisePhone(text) !== undefined],
  ['ip-address', isIPv4],
  ['ipv4', isIPv4],
  ['ipv6', isIPv6],
  ['uri', isUri],
  ['iri', isUri],
  ['uri-reference', isUriReference],
  ['uriref', isUriReference],
  ['iri-reference', isUriReference],
  ['uri-template', (text) => isUriReference(text) && !/\{[^}]*(\{|$)|^[^{]*\}/.test(text)],
  ['regex', isPattern],
  ['json-pointer', isJsonPointer],
  ['relative-json-pointer', (text) => /^(?:0|[1-9]\d*)(?:#|(?:\/.*)?)$/s.test(text)],
  ['no-validate', () => true],
])
