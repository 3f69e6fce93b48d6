/** A URL reference, parsed literally. Percent escapes are kept as they are, unless said otherwise. */
export interface StrictUrl {
  /** lower case, without the colon; empty in a relative reference */
  scheme: string
  /** what follows the scheme when that is no slash: `mailto:x`, `https:x` */
  opaque: string
  /** with the `@`, empty when there is none */
  userinfo: string
  /** host and port as written; empty without an authority */
  host: string
  path: string
  /** with the `?`, not checked */
  query: string
  /** with the `#` */
  fragment: string
}

/** Why a text is no URL. The words are part of Kratos's answers. */
export class UrlSyntaxError extends Error {
  override readonly name = 'UrlSyntaxError'
}

const refuse = (why: string): never => {
  throw new UrlSyntaxError(why)
}

const ALPHA = /^[A-Za-z]/
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
const CONTROL = /[\x00-\x1f\x7f]/

/**
 * Parses a URL reference by the rules of Go's `net/url`, as Kratos does: it repairs nothing, where browsers drop
 * tabs, turn backslashes and repair escapes. One pass for each part, so linear in the length.
 * @throws UrlSyntaxError
 * @see https://pkg.go.dev/net/url#Parse
 */
export function parseStrictUrl(text: string): StrictUrl {
  const [whole, fragment] = cut(text, '#')
  if (CONTROL.test(whole)) refuse('invalid control character in URL')
  const [scheme, afterScheme] = splitScheme(whole)
  const [rest, query] = cut(afterScheme, '?')
  assertEscapes(fragment)
  const none = { scheme, opaque: '', userinfo: '', host: '', path: '', query, fragment }
  if (scheme !== '' && !rest.startsWith('/')) return { ...none, opaque: rest }
  if (cut(rest, '/')[0].includes(':')) refuse('first path segment in URL cannot contain colon')
  const hasAuthority = rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'))
  if (!hasAuthority) {
    assertEscapes(rest)
    return { ...none, path: rest }
  }
  const [authority, path] = cut(rest.slice(2), '/')
  const at = authority.lastIndexOf('@') + 1
  const userinfo = authority.slice(0, at)
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(userinfo)) refuse('invalid userinfo')
  assertEscapes(userinfo)
  const host = authority.slice(at)
  assertHost(host)
  assertEscapes(path)
  return { ...none, userinfo, host, path }
}

/** Splits at the first `mark`, which stays with the second part; that is empty without it. */
function cut(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)]
}

function splitScheme(text: string): [string, string] {
  const colon = text.indexOf(':')
  if (colon === 0) refuse('missing protocol scheme')
  const scheme = text.slice(0, Math.max(0, colon))
  const valid = ALPHA.test(scheme) && /^[A-Za-z0-9+\-.]*$/.test(scheme)
  return valid ? [scheme.toLowerCase(), text.slice(colon + 1)] : ['', text]
}

function assertHost(host: string): void {
  const bracket = host.startsWith('[') ? host.lastIndexOf(']') : -1
  if (host.includes('[') && bracket < 0) refuse("missing ']' in host")
  const colon = bracket < 0 ? host.indexOf(':') : bracket + 1
  const port = colon < 0 ? '' : host.slice(colon)
  if (!/^(:[0-9]*)?$/.test(port)) refuse(`invalid port ${JSON.stringify(port)} after host`)
  const name = host.slice(0, host.length - port.length)
  // A host is written without escapes, except for bytes beyond ASCII.
  const broken = /%(?!25|[89A-Fa-f][0-9A-Fa-f]).{0,2}/s.exec(name)?.[0]
  if (broken !== undefined) refuse(`invalid URL escape ${JSON.stringify(broken)}`)
  const wrong = /[^A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"%\u0080-\u{10ffff}]/u.exec(name)?.[0]
  if (wrong !== undefined) refuse(`invalid character ${JSON.stringify(wrong)} in host name`)
}

function assertEscapes(text: string): void {
  const broken = /%(?![0-9A-Fa-f]{2}).{0,2}/s.exec(text)?.[0]
  if (broken !== undefined) refuse(`invalid URL escape ${JSON.stringify(broken)}`)
}
