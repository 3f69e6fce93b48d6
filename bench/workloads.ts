import { randomBytes } from 'node:crypto'
import { encodeSecureCookie } from '../src/kernel/crypto/cookies/securecookie.ts'
import { endableOf, endRow, type Half, readRow } from './rows.ts'
import { emailOf, identitiesOf, identityId, identityOfRow, idOf, PASSWORD, tokenOf } from './seed.ts'

export const PLANS = [
  'noop',
  'whoami-token',
  'whoami-cookie',
  'init',
  'browser-logout',
  'native-logout',
  'login',
  'mix',
] as const
export type Plan = (typeof PLANS)[number]

/** Those that leave the tables other than they found them. */
export const CHANGING: readonly Plan[] = ['browser-logout', 'native-logout', 'login', 'mix']

/** A browser logout is two requests, and so is a login; what bare SQL does for it is one transaction. */
export const requestsPerUnit = (plan: Plan) => (plan === 'browser-logout' || plan === 'login' ? 2 : 1)

export interface Work {
  plan: Plan
  half: Half
  sessions: number
  /** cookie secret of the servers */
  secret: string
}

export interface Step {
  request(previousAnswer: string): string
  /** whether this is the answer to it and no other */
  fits(answer: string): boolean
  /** a session ends with it */
  ends?: true
}

const get = (path: string, headers: string) =>
  `GET ${path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n${headers}\r\n`
const send = (method: string, path: string, body: string) =>
  `${method} ${path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\nContent-Type: application/json\r\n` +
  `Content-Length: ${body.length}\r\n\r\n${body}`
const is = (status: number) => (answer: string) => answer.startsWith(`HTTP/1.1 ${status}`)
const member = (answer: string, name: string) => new RegExp(`"${name}":"([^"]*)"`).exec(answer)?.[1] ?? ''

function cookieOf(secret: string, i: number): string {
  const values = { session_token: tokenOf(i), expires_at: '2099-01-01T00:00:00Z', nonce: 'abcdefgh' }
  const now = Date.now() * 1000
  const value = encodeSecureCookie({ name: 'ory_kratos_session', values, secrets: [secret], now, random: randomBytes })
  return `Cookie: ory_kratos_session=${value}\r\n`
}

/** Browsers come back with the same cookie, so few different ones are enough, as many as a node would remember. */
const KNOWN = 2000
const cookies = new Map<number, string>()
function knownCookie(secret: string, row: number): string {
  const known = cookies.get(row) ?? cookieOf(secret, row)
  cookies.set(row, known)
  return known
}

/** The requests of the `k`th turn; undefined when every session that may be ended has been. */
export function turn(work: Work, k: number): Step[] | undefined {
  const { plan, half, sessions, secret } = work
  const isOf = (row: number) => (answer: string) =>
    is(200)(answer) && answer.includes(idOf(row)) && answer.includes(identityOfRow(row, sessions))
  const end = endRow(half, k)
  const read = readRow(half, k)
  switch (plan) {
    case 'noop':
      return [{ request: () => get('/noop', ''), fits: is(200) }]
    case 'whoami-token':
      return [{ request: () => get('/sessions/whoami', `X-Session-Token: ${tokenOf(read)}\r\n`), fits: isOf(read) }]
    case 'whoami-cookie': {
      const row = readRow(half, k % KNOWN)
      return [{ request: () => get('/sessions/whoami', knownCookie(secret, row)), fits: isOf(row) }]
    }
    case 'init':
      return [init(knownCookie(secret, readRow(half, k % KNOWN)))]
    case 'native-logout':
      return k < endableOf(half) ? [nativeLogout(end)] : undefined
    case 'browser-logout':
      return k < endableOf(half) ? browserLogout(cookieOf(secret, end)) : undefined
    case 'login':
      return login(1 + (k % identitiesOf(sessions)))
    case 'mix':
      return mix(work, k)
  }
}

/** In a hundred requests two begin a logout, two end a session, and the others ask whose session it is. */
function mix(work: Work, k: number): Step[] | undefined {
  if (k % 50 === 0) return turn({ ...work, plan: 'init' }, k)
  return turn({ ...work, plan: k % 50 === 1 ? 'native-logout' : 'whoami-token' }, k % 50 === 1 ? (k - 1) / 50 : k)
}

const init = (cookie: string): Step => ({
  request: () => get('/self-service/logout/browser', cookie),
  fits: (answer) => is(200)(answer) && member(answer, 'logout_token').startsWith('ory_lo_'),
})

function browserLogout(cookie: string): Step[] {
  const out: Step = {
    request: (answer) => get(`/self-service/logout?token=${member(answer, 'logout_token')}`, cookie),
    fits: is(204),
    ends: true,
  }
  return [init(cookie), out]
}

function nativeLogout(row: number): Step {
  const body = JSON.stringify({ session_token: tokenOf(row) })
  return { request: () => send('DELETE', '/self-service/logout/api', body), fits: is(204), ends: true }
}

/** A login of an app: a flow is begun and the form sent, without the page. */
export function login(identity: number): Step[] {
  const body = JSON.stringify({ method: 'password', identifier: emailOf(identity), password: PASSWORD })
  return [
    {
      request: () => get('/self-service/login/api', ''),
      fits: (answer) => is(200)(answer) && member(answer, 'id').length === 36,
    },
    {
      request: (answer) => send('POST', `/self-service/login?flow=${member(answer, 'id')}`, body),
      fits: (answer) =>
        is(200)(answer) &&
        answer.includes(identityId(identity)) &&
        member(answer, 'session_token').startsWith('ory_st_'),
    },
  ]
}
