import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client, type Reply } from '../helpers/client.ts'
import { clearedCookies, csrfPair, sessionCookie } from '../helpers/credentials.ts'
import { adopted, closingScope, postgres } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'

/**
 * Every combination of credentials on every way out, against a model of what must be: success means that the session
 * which counts is gone, and no other was touched; anything else means that nothing happened.
 */

const KINDS = ['absent', 'live', 'dead', 'garbage'] as const
type Kind = (typeof KINDS)[number]
const PLACES = ['header', 'cookie', 'bearer'] as const
type Place = (typeof PLACES)[number]
type Combination = Record<Place, Kind>

const AT_ONCE = 8
const COMBINATIONS: Combination[] = KINDS.flatMap((header) =>
  KINDS.flatMap((cookie) => KINDS.map((bearer) => ({ header, cookie, bearer }))),
)

/** Who counts: the header, else a cookie that can be read, else the Bearer token; and then nobody else. */
function countingPlace({ header, cookie, bearer }: Combination): Place | undefined {
  if (header !== 'absent') return 'header'
  if (cookie === 'live' || cookie === 'dead') return 'cookie'
  return bearer === 'absent' ? undefined : 'bearer'
}

type SignedIn = Awaited<ReturnType<typeof signedIn>>

for (const backend of [postgres, adopted]) {
  describe(`every combination of credentials, on ${backend.name}`, () => {
    const scope = closingScope()
    let server: TestServer
    let dead: SignedIn
    let csrf: ReturnType<typeof csrfPair>

    before(async () => {
      server = await testServer(scope, { backend })
      csrf = csrfPair(server)
      dead = await signedIn(server)
      await server.deps.sessions.revoke(dead.session, 'logout')
    })
    after(() => scope.close())

    /** Live sessions at each place, and one that no request names. */
    async function arrange(combination: Combination) {
      const bystander = await signedIn(server)
      const { identity } = bystander.session
      const live: Partial<Record<Place | 'bystander', SignedIn>> = { bystander }
      for (const place of PLACES) if (combination[place] === 'live') live[place] = await signedIn(server, identity)
      const token = (place: Place) =>
        ({ live: live[place]?.token, dead: dead.token, garbage: 'garbage', absent: undefined })[combination[place]]
      const headers: Record<string, string> = {}
      if (token('header') !== undefined) headers['x-session-token'] = token('header')!
      if (token('bearer') !== undefined) headers.authorization = `Bearer ${token('bearer')}`
      const cookies = [csrf.cookie]
      if (combination.cookie === 'garbage') cookies.push('ory_kratos_session=garbage')
      else if (token('cookie') !== undefined) cookies.push(sessionCookie(server, token('cookie')!))
      headers.cookie = cookies.join('; ')
      const place = countingPlace(combination)
      const resolved = place !== undefined && combination[place] === 'live' ? live[place] : undefined
      return { live, headers, place, resolved }
    }

    /** Which of the live sessions let nobody in any more. */
    async function gone(live: Partial<Record<string, SignedIn>>): Promise<string[]> {
      const entries = Object.entries(live)
      const found = await Promise.all(entries.map(([, s]) => server.deps.sessions.resolve(only(s!.token))))
      return entries.filter((_, i) => found[i] === undefined).map(([name]) => name)
    }

    async function every(
      act: (of: Awaited<ReturnType<typeof arrange>>, combination: Combination) => Promise<Reply>,
      expected: (
        of: Awaited<ReturnType<typeof arrange>>,
        combination: Combination,
      ) => { status: number; gone: string[]; clears: boolean; revoked?: string[] },
    ) {
      const wrong: unknown[] = []
      const one = async (combination: Combination) => {
        const of = await arrange(combination)
        const reply = await act(of, combination)
        const want = expected(of, combination)
        const got = {
          status: await statusOf(reply),
          gone: await gone(of.live),
          clears: clearedCookies(reply.setCookie).includes('ory_kratos_session'),
          ...(want.revoked ? { revoked: reply.body?.revoked } : {}),
        }
        if (JSON.stringify(got) !== JSON.stringify(want)) wrong.push({ combination, got, want })
      }
      // Ends of one token wait for each other, five seconds at most.
      for (let at = 0; at < COMBINATIONS.length; at += AT_ONCE) {
        await Promise.all(COMBINATIONS.slice(at, at + AT_ONCE).map(one))
      }
      assert.deepEqual(wrong, [])
    }

    /** The status behind the error page that a browser is sent to. */
    async function statusOf(reply: Reply): Promise<number> {
      const id = /\/error\?id=([\w-]+)$/.exec(reply.headers.get('location') ?? '')?.[1]
      if (id === undefined) return reply.status
      return (await new Client(server).get(`/self-service/errors?id=${id}`)).body.error.code
    }

    const nothing = (status: number) => ({ status, gone: [], clears: false })
    const send = (method: string, path: string, headers: Record<string, string>, json?: unknown) =>
      new Client(server).send(method, path, json === undefined ? { headers } : { headers, json })

    const logoutUrl = (of: SignedIn | undefined, dead: SignedIn) =>
      `/self-service/logout?token=${server.deps.sessions.logoutToken((of ?? dead).session)}`

    test('the logout URL, with the token of the session that counts', async () => {
      await every(
        ({ headers, resolved }) => send('GET', logoutUrl(resolved, dead), headers),
        ({ resolved, place }) =>
          resolved ? { status: 204, gone: [place!], clears: place === 'cookie' } : nothing(401),
      )
    })

    test('the logout URL, with the token of another session', async () => {
      await every(
        ({ headers, live }) => send('GET', logoutUrl(live.bystander, dead), headers),
        ({ resolved }) => nothing(resolved ? 403 : 401),
      )
    })

    test('the logout URL, where a session that is gone is success', async () => {
      await server.reconfigure({ lethe: { logout: { dead_session: 'succeed' } } })
      await every(
        ({ headers, resolved }) => send('GET', logoutUrl(resolved, dead), headers),
        ({ resolved, place }, combination) => {
          if (resolved) return { status: 204, gone: [place!], clears: place === 'cookie' }
          return othersLive(combination)
            ? nothing(401)
            : { status: 204, gone: [], clears: combination.cookie !== 'absent' }
        },
      )
      await server.reconfigure({ lethe: { logout: { dead_session: 'error' } } })
    })

    for (const as of ['JSON', 'form'] as const) {
      test(`POST as ${as}: the current session`, async () => {
        await every(
          ({ headers }) => post(as, headers, { csrf_token: csrf.token() }),
          ({ resolved, place }, combination) => {
            const status = as === 'JSON' ? 200 : 303
            if (resolved) return told({ status, gone: [place!], clears: place === 'cookie' }, [resolved])
            if (othersLive(combination)) return nothing(401)
            return told({ status, gone: [], clears: combination.cookie !== 'absent' }, [])
          },
        )
        function told<T>(of: T, revoked: SignedIn[]): T & { revoked?: string[] } {
          return { ...of, ...(as === 'JSON' ? { revoked: revoked.map((s) => s.session.id) } : {}) }
        }
      })
    }

    test('POST without the anti-CSRF token: a cookie is refused, a header needs none', async () => {
      await every(
        ({ headers }) => post('JSON', headers, {}),
        ({ resolved, place }, combination) => {
          if (place === 'cookie' && resolved) return nothing(403)
          if (resolved) return { status: 200, gone: [place!], clears: false }
          return othersLive(combination)
            ? nothing(401)
            : { status: 200, gone: [], clears: combination.cookie !== 'absent' }
        },
      )
    })

    test('POST of one other session by its id', async () => {
      await every(
        ({ headers, live }) =>
          post('JSON', headers, { csrf_token: csrf.token(), session_ids: [live.bystander!.session.id.toUpperCase()] }),
        ({ resolved, live }, combination) => {
          if (resolved)
            return { status: 200, gone: ['bystander'], clears: false, revoked: [live.bystander!.session.id] }
          if (othersLive(combination)) return nothing(401)
          return { status: 200, gone: [], clears: combination.cookie !== 'absent', revoked: [] }
        },
      )
    })

    test('POST of all others', async () => {
      await every(
        ({ headers }) => post('JSON', headers, { csrf_token: csrf.token(), scope: 'others' }),
        ({ resolved, live, place }, combination) => {
          if (resolved) return { status: 200, gone: Object.keys(live).filter((name) => name !== place), clears: false }
          return othersLive(combination)
            ? nothing(401)
            : { status: 200, gone: [], clears: combination.cookie !== 'absent' }
        },
      )
    })

    test('POST of everything', async () => {
      await every(
        ({ headers }) => post('JSON', headers, { csrf_token: csrf.token(), scope: 'all' }),
        ({ resolved, live, place }, combination) => {
          if (resolved) return { status: 200, gone: Object.keys(live), clears: place === 'cookie' }
          return othersLive(combination)
            ? nothing(401)
            : { status: 200, gone: [], clears: combination.cookie !== 'absent' }
        },
      )
    })

    test('the native logout ends the session of the token in its body, whatever else is sent', async () => {
      await every(
        ({ headers, live }) =>
          send('DELETE', '/self-service/logout/api', headers, { session_token: live.bystander!.token }),
        () => ({ status: 204, gone: ['bystander'], clears: false }),
      )
      for (const session_token of ['garbage', 'ory_st_unknown'])
        await every(
          ({ headers }) => send('DELETE', '/self-service/logout/api', headers, { session_token }),
          () => nothing(403),
        )
    })

    function post(as: 'JSON' | 'form', headers: Record<string, string>, body: Record<string, unknown>): Promise<Reply> {
      if (as === 'JSON') return send('POST', '/self-service/logout', headers, body)
      return new Client(server).send('POST', '/self-service/logout', {
        headers: { ...headers, accept: 'text/html' },
        form: body as Record<string, string>,
      })
    }
  })
}

const only = (token: string) => ({ sessionToken: token, cookieTokens: [], bearer: undefined })

/** Nobody counts, but one that does not count would let someone in. */
function othersLive(combination: Combination): boolean {
  return PLACES.some((place) => combination[place] === 'live')
}

describe('several session cookies at once, as left behind under other paths and domains', () => {
  for (const order of [
    ['dead', 'live'],
    ['live', 'dead'],
    ['garbage', 'dead', 'live'],
  ] as const) {
    test(`${order.join(', ')}: the live one counts, and logout ends it`, async (t) => {
      const server = await testServer(t, { backend: postgres })
      const [dead, live] = [await signedIn(server), await signedIn(server)]
      await server.deps.sessions.revoke(dead.session, 'logout')
      const pair = { dead: sessionCookie(server, dead.token), live: sessionCookie(server, live.token) }
      const cookies = order.map((kind) => (kind === 'garbage' ? 'ory_kratos_session=garbage' : pair[kind]))
      const cookie = cookies.join('; ')
      const client = new Client(server)
      const whoami = await client.get('/sessions/whoami', { cookie })
      assert.equal(whoami.body.id, live.session.id)
      const { body } = await client.get('/self-service/logout/browser', { cookie })
      assert.equal((await client.get(`/self-service/logout?token=${body.logout_token}`, { cookie })).status, 204)
      assert.equal(await live.whoami(), 401)
      assert.equal((await client.get('/sessions/whoami', { cookie })).status, 401)
    })
  }
})

describe('a form of another site, with which a browser sends no cookie', () => {
  for (const dead_session of ['error', 'succeed']) {
    test(`does not make it forget the session (${dead_session})`, async (t) => {
      const server = await testServer(t, {
        backend: postgres,
        config: {
          lethe: { logout: { dead_session, clear_site_data: ['cookies'] }, cookies: { previous: [{ name: 'old' }] } },
        },
      })
      const headers = { accept: 'text/html', origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
      for (const [method, path] of [
        ['POST', '/self-service/logout'],
        ['GET', '/self-service/logout?token=x'],
        ['GET', '/self-service/logout/browser'],
        ['GET', '/logout'],
      ] as const) {
        const reply = await new Client(server).send(
          method,
          path,
          method === 'POST' ? { headers, form: {} } : { headers },
        )
        assert.deepEqual(clearedCookies(reply.setCookie), [], `${method} ${path}`)
        assert.equal(reply.headers.get('clear-site-data'), null)
      }
    })
  }
})
