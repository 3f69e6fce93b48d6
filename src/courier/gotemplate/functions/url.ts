import { FunctionError } from '../errors.ts'
import { Dict, kindOf } from '../values.ts'
import { type Func, func } from './signature.ts'

/** Taken apart and put together as Go's net/url does it. @see https://masterminds.github.io/sprig/url.html */
export const URLS: Record<string, Func> = {
  urlParse: func('string', ([text]: readonly [string]) => new Dict(new Map(Object.entries(parse(text))))),
  urlJoin: func('dict', ([dict]: readonly [Dict]) => join(dict)),
}

interface Parts {
  scheme: string
  host: string
  hostname: string
  path: string
  query: string
  opaque: string
  fragment: string
  userinfo: string
}

const SAFE: Record<'path' | 'fragment' | 'user' | 'host', RegExp> = {
  path: /[A-Za-z0-9\-._~$&+,/:;=@]/,
  fragment: /[A-Za-z0-9\-._~$&+,/:;=?@!()*]/,
  user: /[A-Za-z0-9\-._~$&+,;=]/,
  host: /[A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"]/,
}

function parse(text: string): Parts {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\x00-\x1f\x7f]/.test(text)) throw new FunctionError('a control character in the URL')
  const [before, fragment = ''] = cut(text, '#')
  const scheme = /^([A-Za-z][A-Za-z0-9+\-.]*):/.exec(before)?.[1] ?? ''
  if (scheme === '' && before.startsWith(':')) throw new FunctionError('the URL lacks its scheme')
  const [hierarchy, query = ''] = cut(scheme ? before.slice(scheme.length + 1) : before, '?')
  const parts = {
    scheme: scheme.toLowerCase(),
    host: '',
    hostname: '',
    path: '',
    query,
    opaque: '',
    fragment: decode(fragment),
    userinfo: '',
  }
  if (!hierarchy.startsWith('/')) {
    if (scheme) return { ...parts, opaque: hierarchy }
    if (hierarchy.split('/')[0]!.includes(':')) throw new FunctionError('a colon in the first part of a path')
    return { ...parts, path: decode(hierarchy) }
  }
  if (!hierarchy.startsWith('//') || (!scheme && hierarchy.startsWith('///')))
    return { ...parts, path: decode(hierarchy) }
  const slash = hierarchy.indexOf('/', 2)
  const authority = hierarchy.slice(2, slash < 0 ? undefined : slash)
  const at = authority.lastIndexOf('@')
  const host = decodeHost(authority.slice(at + 1))
  const path = slash < 0 ? '' : decode(hierarchy.slice(slash))
  return { ...parts, host, hostname: hostnameOf(host), path, userinfo: at < 0 ? '' : userinfo(authority.slice(0, at)) }
}

function join(dict: Dict): string {
  const part = (key: string): string => {
    if (!dict.entries.has(key)) return ''
    const value = dict.entries.get(key)
    if (typeof value !== 'string') throw new FunctionError(`${key} is ${kindOf(value)}, not a text`)
    return value
  }
  const [scheme, opaque, host, path, user] = [
    part('scheme'),
    part('opaque'),
    part('host'),
    part('path'),
    part('userinfo'),
  ]
  let out = scheme && `${scheme}:`
  if (opaque) out += opaque
  else {
    if (scheme || host || user) {
      if (host || path || user) out += '//'
      if (user) out += `${userinfo(user)}@`
      out += encode(host, 'host')
    }
    const escaped = encode(path, 'path')
    if (escaped && !escaped.startsWith('/') && host) out += '/'
    if (out === '' && escaped.split('/')[0]!.includes(':')) out += './'
    out += escaped
  }
  if (part('query')) out += `?${part('query')}`
  return part('fragment') ? `${out}#${encode(part('fragment'), 'fragment')}` : out
}

function userinfo(text: string): string {
  const [name, password] = cut(text, ':')
  const user = encode(decode(name), 'user')
  return password === undefined ? user : `${user}:${encode(decode(password), 'user')}`
}

function hostnameOf(host: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(host)
  if (bracketed) return bracketed[1]!
  const colon = host.indexOf(':')
  return colon < 0 ? host : host.slice(0, colon)
}

function decodeHost(host: string): string {
  const colon = host.lastIndexOf(':')
  const port = colon < 0 || host.includes(']', colon) ? undefined : host.slice(colon + 1)
  if (port !== undefined && !/^[0-9]*$/.test(port)) throw new FunctionError('the port is no number')
  if (/[ \\^`{|}]/.test(host)) throw new FunctionError('a character that hosts cannot have')
  return decode(host)
}

function cut(text: string, mark: string): [string, string?] {
  const at = text.indexOf(mark)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

function decode(text: string): string {
  if (!text.includes('%')) return text
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) throw new FunctionError('a % that escapes nothing')
  const bytes = Buffer.from(text).toString('latin1')
  const decoded = bytes.replace(/%([0-9A-Fa-f]{2})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
  return Buffer.from(decoded, 'latin1').toString('utf8')
}

function encode(text: string, part: keyof typeof SAFE): string {
  let out = ''
  for (const byte of Buffer.from(text)) {
    const char = String.fromCharCode(byte)
    out += byte < 0x80 && SAFE[part].test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}
