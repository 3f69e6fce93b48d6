import { randomBytes } from 'node:crypto'
import { encodeSecureCookie } from '../src/crypto/securecookie.ts'
import { derivedLogoutToken } from '../src/crypto/tokens.ts'
import { idOf, idSql, storedSql, tokenOf } from './seed.ts'

export type Plan = 'noop' | 'whoami-token' | 'whoami-cookie' | 'init' | 'browser-logout' | 'native-logout' | 'mix'

export interface Step {
  request(previousAnswer: string): string
  fits(answer: string): boolean
}

const get = (path: string, headers: string) =>
  `GET ${path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n${headers}\r\n`
const is = (status: number) => (answer: string) => answer.startsWith(`HTTP/1.1 ${status}`)

function cookieOf(secret: string, i: number): string {
  const values = { session_token: tokenOf(i), expires_at: '2099-01-01T00:00:00Z', nonce: 'abcdefgh' }
  const now = Date.now() * 1000
  const value = encodeSecureCookie({ name: 'ory_kratos_session', values, secrets: [secret], now, random: randomBytes })
  return `Cookie: ory_kratos_session=${value}\r\n`
}

/** Browsers come back with the same cookie, so few different ones are enough, as many as a node would remember. */
const cookies = new Map<number, string>()
function knownCookie(secret: string, i: number): string {
  const row = 1 + (i % 2000)
  const known = cookies.get(row) ?? cookieOf(secret, row)
  cookies.set(row, known)
  return known
}

/** The requests that one row takes part in. */
export function stepsOf(
  o: { plan: Plan; secret: string; serverSecret: string; rows: [number, number] },
  i: number,
): Step[] {
  const row = o.rows[0] + ((i * 7919) % (o.rows[1] - o.rows[0] + 1))
  switch (o.plan) {
    case 'noop':
      return [{ request: () => get('/noop', ''), fits: is(200) }]
    case 'whoami-token':
      return [whoami(row)]
    case 'whoami-cookie':
      return [{ request: () => get('/sessions/whoami', knownCookie(o.secret, i)), fits: is(200) }]
    case 'init':
      return [init(row)]
    case 'native-logout':
      return [nativeLogout(i)]
    case 'browser-logout': {
      const cookie = cookieOf(o.secret, i)
      const token = derivedLogoutToken(Buffer.from(o.serverSecret, 'base64'), idOf(i))
      return [
        {
          request: () => get('/self-service/logout/browser', cookie),
          fits: (answer) => is(200)(answer) && answer.includes(token),
        },
        { request: () => get(`/self-service/logout?token=${token}`, cookie), fits: is(204) },
      ]
    }
    case 'mix':
      return i % 50 === 0 ? [init(row)] : i % 50 === 1 ? [nativeLogout(i)] : [whoami(row, true)]
  }
}

const whoami = (row: number, mayBeGone = false): Step => ({
  request: () => get('/sessions/whoami', `X-Session-Token: ${tokenOf(row)}\r\n`),
  fits: (answer) => (is(200)(answer) && answer.includes(idOf(row))) || (mayBeGone && is(401)(answer)),
})

const init = (row: number): Step => ({
  request: () => get('/self-service/logout/browser', `X-Session-Token: ${tokenOf(row)}\r\n`),
  fits: (answer) => is(200)(answer) || is(401)(answer),
})

function nativeLogout(i: number): Step {
  const body = JSON.stringify({ session_token: tokenOf(i) })
  return {
    request: () =>
      `DELETE /self-service/logout/api HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    fits: is(204),
  }
}

/**
 * The same work as bare SQL, one row a statement, for pgbench. It ends sessions of the upper half only: those of the
 * lower half are for the server to end.
 */
export function sqlOf(
  plan: Plan,
  statements: { select: string; revoke: string },
  nid: string,
  sessions: number,
): string {
  const set = `\\set i random(${Math.ceil(sessions / 2) + 1}, ${sessions})\n`
  const select = statements.select.replaceAll('$TOKEN', storedSql(':i::int')).replaceAll('$NID', `'${nid}'::uuid`)
  const revoke = statements.revoke.replaceAll('$ID', idSql(':i::int')).replaceAll('$NID', `'${nid}'::uuid`)
  switch (plan) {
    case 'native-logout':
      return `${set}${revoke};\n`
    case 'browser-logout':
      return `${set}${select};\n${select};\n${revoke};\n`
    case 'mix':
      return `${set}\\set k random(1, 50)\n\\if :k = 1\n${revoke};\n\\else\n${select};\n\\endif\n`
    default:
      return `${set}${select};\n`
  }
}
