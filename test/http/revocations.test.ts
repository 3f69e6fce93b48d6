import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { createLocalJWKSet, exportJWK, generateKeyPair, importJWK, type JWK, jwtVerify, SignJWT } from 'jose'
import type { Config } from '../../src/config/schema/schema.ts'
import type { HighWaterMark } from '../../src/events/log/high-water-mark.ts'
import { createRevocations } from '../../src/events/revocations/revocations.ts'
import type { RevocationRow } from '../../src/events/revocations/store.ts'
import { SECOND, systemClock } from '../../src/kernel/base/clock.ts'
import { createVerifier, TokenRejected, type VerifierOptions } from '../../src/verifier/index.ts'
import { postgres, type Scope } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { until } from '../helpers/until.ts'

const HOUR = 3600

async function keyPair(alg: string) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const named = (jwk: JWK) => ({ ...jwk, alg, kid: `kid-${alg}` })
  return { secret: named(await exportJWK(privateKey)), open: named(await exportJWK(publicKey)) }
}

async function setup(
  t: Scope,
  given: { alg?: string; config?: Record<string, unknown>; clock?: { now(): number } } = {},
) {
  const keys = await keyPair(given.alg ?? 'ES256')
  const url = `base64://${Buffer.from(JSON.stringify({ keys: [keys.secret] })).toString('base64')}`
  const template = { jwks_url: url, ttl: '20m' }
  const server = await testServer(t, {
    backend: postgres,
    ...(given.clock === undefined ? {} : { clock: given.clock }),
    config: { session: { whoami: { tokenizer: { templates: { jwt: template } } } }, ...given.config },
  })
  const token = async (headers: Record<string, string>): Promise<string> => {
    const answer = await fetch(`${server.publicUrl}/sessions/whoami?tokenize_as=jwt`, { headers })
    return ((await answer.json()) as { tokenized: string }).tokenized
  }
  const list = async (query = '', headers: Record<string, string> = {}) => {
    const answer = await fetch(`${server.adminUrl}/admin/sessions/revocations${query}`, { headers })
    return { answer, body: (answer.status === 200 ? await answer.json() : undefined) as any }
  }
  return { server, keys, token, list }
}

function verifier(
  t: Scope,
  server: Pick<TestServer, 'adminUrl'>,
  options: Partial<VerifierOptions> & Pick<VerifierOptions, 'jwks'>,
) {
  const made = createVerifier({ revocations: `${server.adminUrl}/admin/sessions/revocations`, pollMs: 20, ...options })
  t.after(async () => made.close())
  return made
}

const rejectedAs = (code: string) => (error: unknown) => error instanceof TokenRejected && error.code === code

/** Waits until a token is rejected, by what another part has heard meanwhile. */
async function untilRejected(verify: () => Promise<unknown>): Promise<string> {
  for (;;) {
    try {
      await verify()
    } catch (error) {
      return (error as TokenRejected).code
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('the list of ended sessions', () => {
  test('is kept for those who ask again, and not for each cursor that somebody makes up', async () => {
    const mark = { epoch: 'e', number: 1, seq: 9, newest: 9, completeAt: 0, readAt: 0, writers: [] }
    const ended = { seq: 1, type: 'session.ended', cause: null, session_id: 's', identity_id: null, created_at: '' }
    const most = Array.from({ length: 50_000 }, () => ended as RevocationRow)
    let read = 0
    const { list } = createRevocations({
      config: () =>
        ({
          lethe: { events: { revocations: { window: 1 } } },
          session: { whoami: { tokenizer: { templates: {} } } },
        }) as unknown as Config,
      clock: { now: () => SECOND },
      highWaterMark: {
        settle: async () => mark,
        follow: async ({ seq }: { seq: number }) => ({ position: { ...mark, seq }, lost: false }),
      } as unknown as HighWaterMark,
      store: {
        read: async () => {
          read += 1
          return most
        },
      },
      tokenTemplates: assert.fail,
      baseUrls: { public: assert.fail },
      onLost: assert.fail,
    })
    const ask = async (seq: number) => {
      read = 0
      await list({ epoch: 'e', seq })
      return read
    }
    assert.deepEqual([await ask(1), await ask(1)], [1, 0])
    for (let seq = 2; seq < 5; seq += 1) await ask(seq)
    assert.deepEqual([await ask(1), await ask(4)], [0, 1])
  })

  test('names each that ended, as a whole or since a cursor, and tells when nothing is new', async (t) => {
    const { server, list } = await setup(t)
    const [one, two] = [await signedIn(server), await signedIn(server)]
    const empty = await list()
    assert.deepEqual(empty.body.sessions, [])
    assert.equal(empty.body.window_seconds, 21 * 60)
    const etag = empty.answer.headers.get('etag')!
    await signedIn(server)
    assert.equal((await list('', { 'if-none-match': etag })).answer.status, 304)
    await server.deps.sessions.revoke(one.session, 'logout')
    const first = await list('', { 'if-none-match': etag })
    assert.deepEqual(
      first.body.sessions.map((s: any) => s.id),
      [one.session.id],
    )
    assert.match(first.body.sessions[0].ended_at, /^20\d\d-.*Z$/)
    await server.deps.sessions.revoke(two.session, 'logout')
    const delta = await list(`?after=${first.body.cursor}`)
    assert.deepEqual(
      delta.body.sessions.map((s: any) => s.id),
      [two.session.id],
    )
    assert.deepEqual((await list(`?after=${delta.body.cursor}`)).body.sessions, [])
    assert.equal((await list()).body.sessions.length, 2)
    // a cursor of another database
    assert.equal((await list('?after=999999999')).body.sessions.length, 2)
    assert.equal((await list('?after=x')).answer.status, 400)
  })

  test('forgets what no token can speak for any more', async (t) => {
    const wall = systemClock()
    let ahead = 0
    const { server, list } = await setup(t, { clock: { now: () => wall.now() + ahead } })
    const { session } = await signedIn(server)
    await server.deps.sessions.revoke(session, 'logout')
    assert.equal((await list()).body.sessions.length, 1)
    ahead = HOUR * SECOND
    assert.equal((await list()).body.sessions.length, 0)
  })

  test('marks identities that are disabled or deleted, and takes it back', async (t) => {
    const { server, list } = await setup(t)
    const { session } = await signedIn(server)
    const state = (value: string) =>
      server.deps.identities.patch(session.identity_id, [{ op: 'replace', path: '/state', value }])
    await state('inactive')
    const disabled = (await list()).body
    assert.deepEqual(
      disabled.sessions.map((s: any) => s.id),
      [session.id],
    )
    assert.deepEqual(disabled.identities, [{ id: session.identity_id, not_before: disabled.sessions[0].ended_at }])
    await state('active')
    const { resumed, identities } = (await list(`?after=${disabled.cursor}`)).body
    assert.deepEqual(
      resumed.map((s: any) => [s.id, s.identity_id]),
      [[session.id, session.identity_id]],
    )
    assert.deepEqual(identities, [])
    assert.deepEqual((await list()).body.sessions, [])
  })

  test('is signed for those who do not trust its way', async (t) => {
    const { server, keys } = await setup(t)
    const { session } = await signedIn(server)
    await server.deps.sessions.revoke(session, 'logout')
    const url = `${server.adminUrl}/admin/sessions/revocations`
    const answer = await fetch(url, { headers: { accept: 'application/jose' } })
    assert.equal(answer.headers.get('content-type'), 'application/jose')
    const { payload, protectedHeader } = await jwtVerify(await answer.text(), createLocalJWKSet({ keys: [keys.open] }))
    assert.equal(protectedHeader.typ, 'revocations+jwt')
    assert.deepEqual(
      (payload.sessions as { id: string }[]).map(({ id }) => id),
      [session.id],
    )
    assert.equal((await fetch(`${url}?template=none`, { headers: { accept: 'application/jose' } })).status, 400)
  })

  test('is on the public port only where that is wanted', async (t) => {
    const { server } = await setup(t)
    const url = `${server.publicUrl}/sessions/revocations`
    assert.equal((await fetch(url)).status, 404)
    await server.reconfigure({ lethe: { events: { revocations: { public: true, window: '2h' } } } })
    const answer = await fetch(url)
    assert.equal(answer.status, 200)
    assert.equal(((await answer.json()) as any).window_seconds, 2 * HOUR)
    assert.equal(answer.headers.get('set-cookie'), null)
  })
})

describe('the verifier', () => {
  for (const alg of ['ES256', 'ES512', 'RS256', 'PS384', 'EdDSA']) {
    test(`${alg}: takes a token until its session ends`, async (t) => {
      const { server, keys, token } = await setup(t, { alg })
      const { session, headers } = await signedIn(server)
      const other = await signedIn(server)
      const [mine, theirs] = [await token(headers), await token(other.headers)]
      const check = verifier(t, server, { jwks: { keys: [keys.open] }, issuer: `${server.publicUrl}/` })
      assert.equal((await check.verify(mine)).sid, session.id)
      await server.deps.sessions.revoke(session, 'logout')
      assert.equal(await untilRejected(() => check.verify(mine)), 'session_ended')
      assert.equal((await check.verify(theirs)).sid, other.session.id)
      assert.deepEqual([check.state().fresh, check.state().endedSessions], [true, 1])
    })
  }

  test('hears of ends from the stream, without waiting for the next poll', async (t) => {
    const { server, keys, token } = await setup(t)
    const { session, headers } = await signedIn(server)
    const text = await token(headers)
    const stream = `${server.adminUrl}/admin/events/stream`
    const check = verifier(t, server, { jwks: { keys: [keys.open] }, pollMs: 3_600_000, maxStaleMs: 3_600_000, stream })
    await check.verify(text)
    while (server.deps.streams.count() === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    const state = (value: string) =>
      server.deps.identities.patch(session.identity_id, [{ op: 'replace', path: '/state', value }])
    await state('inactive')
    assert.equal(await untilRejected(() => check.verify(text)), 'session_ended')
    await state('active')
    while (check.state().fresh && (await check.verify(text).catch(() => undefined)) === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await server.deps.sessions.revoke(session, 'logout')
    assert.equal(await untilRejected(() => check.verify(text)), 'session_ended')
  })

  test('does as it is told when it cannot know what has ended', async (t) => {
    const { server, keys, token } = await setup(t)
    const text = await token((await signedIn(server)).headers)
    let now = Date.now()
    const errors: string[] = []
    const away = { adminUrl: 'http://127.0.0.1:9' }
    const common = {
      jwks: { keys: [keys.open] },
      now: () => now,
      onError: (error: Error) => errors.push(error.message),
    }
    const strict = verifier(t, away, common)
    await assert.rejects(strict.verify(text), rejectedAs('stale'))
    assert.ok(errors.length > 0)
    const lenient = verifier(t, away, { ...common, whenStale: 'accept' })
    await lenient.verify(text)
    assert.equal(lenient.state().fresh, false)
    const cut = verifier(t, server, { ...common, pollMs: 3_600_000, maxStaleMs: 5000 })
    await cut.verify(text)
    now += 6000
    await assert.rejects(cut.verify(text), rejectedAs('stale'))
  })

  test('keeps the list and the keys that it has when something else is answered', async (t) => {
    const keys = await keyPair('ES256')
    const made = { cursor: '0f5f8a5e.7', epoch: '0f5f8a5e', reset: true, more: false, window_seconds: 300 }
    const one = { id: 'gone', seq: 7, ended_at: new Date().toISOString() }
    const good = { list: { ...made, sessions: [one], identities: [], resumed: [] }, keys: { keys: [null, keys.open] } }
    let served: { list: unknown; keys: unknown } = good
    const [errors, now] = [new Set<string>(), { ms: Date.now() }]
    const check = verifier(
      t,
      { adminUrl: 'http://lethe' },
      {
        jwks: 'http://lethe/keys',
        now: () => now.ms,
        maxStaleMs: 3_600_000,
        onError: (error) => errors.add(error.message),
        fetch: async (url) => Response.json(String(url).endsWith('/keys') ? served.keys : served.list),
      },
    )
    const key = await importJWK(keys.secret, 'ES256')
    const make = (sid: string) =>
      new SignJWT({ sid, exp: Math.floor(Date.now() / 1000) + 3600 }).setProtectedHeader({ alg: 'ES256' }).sign(key)
    await check.verify(await make('live'))
    for (const list of [
      null,
      { ...made, sessions: [] },
      { ...made, sessions: [], identities: [], resumed: [null] },
      { ...made, reset: false, more: true, sessions: [], identities: [], resumed: [] },
    ]) {
      errors.clear()
      served = { list, keys: 'moved' }
      for (let looks = 0; looks < 1000 && errors.size === 0; looks += 1)
        await new Promise((resolve) => setTimeout(resolve, 5))
      now.ms += 700_000
      await assert.rejects(check.verify(await make('gone')), rejectedAs('session_ended'))
    }
  })

  test('an old list does not count as new while the clock of the machine is set back', async (t) => {
    const list = { cursor: '1', more: false, window_seconds: 300, sessions: [], identities: [], resumed: [] }
    let lists = 1
    const check = verifier(
      t,
      { adminUrl: 'http://lethe' },
      {
        jwks: { keys: [] },
        maxStaleMs: 100,
        fetch: async () => Response.json(list, { status: lists-- > 0 ? 200 : 503 }),
      },
    )
    await check.ready()
    const wall = Date.now
    t.mock.method(Date, 'now', () => wall() - 3_600_000)
    for (let looks = 0; looks < 500 && check.state().fresh; looks += 1)
      await new Promise((resolve) => setTimeout(resolve, 10))
    assert.equal(check.state().fresh, false)
  })

  test('a token of an ended session does not pass after a wrong jump of the clock that is set right', async (t) => {
    const { keys } = await setup(t)
    const key = await importJWK(keys.secret, 'ES256')
    const wall = Date.now
    const exp = Math.floor(wall() / 1000) + 3600
    const token = await new SignJWT({ sid: 'gone', exp })
      .setProtectedHeader({ alg: 'ES256', kid: 'kid-ES256', typ: 'JWT' })
      .sign(key)
    const empty = { cursor: '1', more: false, window_seconds: 3600, sessions: [], identities: [], resumed: [] }
    const all = { ...empty, sessions: [{ id: 'gone', seq: 1, ended_at: new Date().toISOString() }] }
    let lists = 0
    const fetch = async () => Response.json(lists++ === 0 ? all : empty)
    const check = verifier(t, { adminUrl: 'http://lethe' }, { jwks: { keys: [keys.open] }, pollMs: 10, fetch })
    await assert.rejects(check.verify(token), rejectedAs('session_ended'))
    const jump = t.mock.method(Date, 'now', () => wall() + 86_400_000)
    await until(() => check.state().endedSessions === 0, 'that the entry is forgotten')
    jump.mock.restore()
    await assert.rejects(check.verify(token), rejectedAs('expired'))
  })

  test('rejects what is forged, stale, early, or meant for others', async (t) => {
    const { server, keys, token } = await setup(t)
    const text = await token((await signedIn(server)).headers)
    const [head, body, signature] = text.split('.') as [string, string, string]
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const key = await importJWK(keys.secret, 'ES256')
    const now = Math.floor(Date.now() / 1000)
    const make = (claims: Record<string, unknown>, header: Record<string, unknown> = {}) =>
      new SignJWT({ sid: 's', exp: now + 60, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'kid-ES256', typ: 'JWT', ...header })
        .sign(key)
    const check = verifier(t, server, { jwks: { keys: [keys.open] }, audience: ['shop'] })
    await check.verify(await make({ aud: ['other', 'shop'] }))
    // the public key taken for the secret of an HMAC
    const confused = `${part({ alg: 'HS256', kid: 'kid-ES256', typ: 'JWT' })}.${body}`
    const hmac = createHmac('sha256', JSON.stringify(keys.open)).update(confused).digest('base64url')
    for (const [code, bad] of [
      ['malformed', ''],
      ['malformed', 'a.b'],
      ['malformed', `${head}.${body}.`],
      ['malformed', `${head}.bnVsbA.${signature}`],
      ['malformed', 'x'.repeat(100_000)],
      ['malformed', `${part({ alg: 'none' })}.${body}.`],
      ['unknown_key', `${part({ alg: 'none' })}.${body}.AAAA`],
      ['unknown_key', `${confused}.${hmac}`],
      ['unknown_key', `${part({ alg: 'ES256', kid: 'other' })}.${body}.${signature}`],
      ['unknown_key', `${part({ alg: 'ES384' })}.${body}.${signature}`],
      ['bad_signature', `${head}.${part({ sid: 's', exp: now + 60 })}.${signature}`],
      ['bad_signature', `${head}.${body}.AAAA`],
      ['malformed', await make({ aud: 'shop', sid: undefined })],
      ['malformed', await make({ aud: 'shop' }, { typ: 'revocations+jwt' })],
      ['expired', await make({ aud: 'shop', exp: now - 60 })],
      ['expired', await make({ aud: 'shop', exp: undefined })],
      ['not_yet_valid', await make({ aud: 'shop', nbf: now + 60 })],
      ['wrong_audience', await make({ aud: 'other' })],
      ['wrong_audience', await make({})],
    ] as const) {
      await assert.rejects(check.verify(bad), rejectedAs(code), `${code}: ${bad.slice(0, 60)}`)
    }
    const strict = verifier(t, server, { jwks: { keys: [keys.open] }, issuer: 'https://elsewhere/' })
    await assert.rejects(strict.verify(text), rejectedAs('wrong_issuer'))
  })

  test('follows a key set that is served, also when its keys change', async (t) => {
    const { server, keys, token } = await setup(t)
    const text = await token((await signedIn(server)).headers)
    const other = await keyPair('RS256')
    let served: unknown = { keys: [{ kty: 'unknown' }, other.open] }
    let asked = 0
    const jwks = createServer((_req, res) => {
      asked += 1
      res.end(JSON.stringify(served))
    })
    await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve))
    t.after(async () => void jwks.close())
    let now = Date.now()
    const url = `http://127.0.0.1:${(jwks.address() as AddressInfo).port}/`
    const check = verifier(t, server, { jwks: url, now: () => now, maxStaleMs: 3_600_000 })
    for (let i = 0; i < 5; i++) await assert.rejects(check.verify(text), rejectedAs('unknown_key'))
    assert.equal(asked, 1)
    served = { keys: [keys.open] }
    now += 11_000
    await check.verify(text)
    jwks.close()
    jwks.closeAllConnections()
    now += 700_000
    assert.equal((await check.verify(text).catch((error) => error)).code, undefined)
  })
})
