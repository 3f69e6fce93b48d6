import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Db } from '../../src/kernel/db/client.ts'
import { Client, createPerson, isSignedIn, type Person, type Reply, signIn, signInNative } from '../helpers/client.ts'
import { adopted, closingScope, postgres } from '../helpers/db.ts'
import { withFaults } from '../helpers/faulty-db.ts'
import { testHasher } from '../helpers/hasher.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

/**
 * A request is held at a step, and meanwhile what entitles it to its write ends, by another node and acknowledged. Then
 * it must not write: the row that allows a write is read under lock in the transaction that writes.
 */

const NEW_PASSWORD = 'another-Harbour-31'
const newEmail = () => `d${randomBytes(8).toString('hex')}@example.com`
const headersOf = (token: string) => ({ 'x-session-token': token })

for (const backend of [postgres, adopted]) {
  describe(`decided where it is written, ${backend.name}`, () => {
    const scope = closingScope()
    /** its steps can be held; the other one is another node */
    let held: TestServer
    let other: TestServer
    let db: Db
    let gate: { step: string; reached(): void; mayGo: Promise<void> } | undefined

    const config = (lethe: object) => ({
      lethe: { sessions: { end_on_password_change: 'all', ...lethe }, limits: { login: { per_address: 0 } } },
    })
    before(async () => {
      // Dozens wait for one row here, and whoever holds it may be paused: nobody is to give up.
      db = await backend.open(scope, { lockTimeoutMs: 60_000 })
      const before = async (step: string) => {
        if (step !== gate?.step) return
        const { reached, mayGo } = gate
        gate = undefined
        reached()
        await mayGo
      }
      held = await testServer(scope, { db: withFaults(db, { before }), config: config({}) })
      other = await testServer(scope, { db, config: config({}) })
    })
    after(() => scope.close())

    /** Holds `late` at the first such step until `meanwhile` is done. */
    async function heldAt(step: string, late: () => Promise<Reply>, meanwhile: () => Promise<unknown>): Promise<Reply> {
      let go = () => {}
      const mayGo = new Promise<void>((resolve) => {
        go = resolve
      })
      const reached = new Promise<void>((resolve) => {
        gate = { step, reached: resolve, mayGo }
      })
      const answer = late()
      answer.catch(() => {})
      try {
        await Promise.race([
          reached,
          answer.then((reply) => assert.fail(`${step} was not reached: ${reply.status} ${reply.text}`)),
        ])
        await meanwhile()
      } finally {
        gate = undefined
        go()
      }
      return answer
    }

    const admin = (method: string, path: string, json?: unknown) =>
      new Client(other).send(method, `${other.adminUrl}/admin${path}`, json === undefined ? {} : { json })
    async function acknowledged(reply: Promise<Reply>): Promise<void> {
      const { status, text } = await reply
      assert.ok(status < 300, text)
    }
    const setState = (state: string) => (person: Person) =>
      acknowledged(
        admin('PATCH', `/identities/${person.identityId}`, [{ op: 'replace', path: '/state', value: state }]),
      )
    const identityOf = async (person: Person) => (await admin('GET', `/identities/${person.identityId}`)).body
    const sessionsOf = async (person: Person): Promise<{ id: string; active: boolean }[]> =>
      (await admin('GET', `/identities/${person.identityId}/sessions`)).body ?? []
    const logout = (token: string) =>
      acknowledged(new Client(other).send('DELETE', '/self-service/logout/api', { json: { session_token: token } }))
    const endsOf = async (sessionId: string) => {
      const text = `select count(*) as ends from lethe.events where session_id = '${sessionId}' and type = 'session.ended' and not resumed`
      return (await db.query<{ ends: number }>({ name: '', text }))[0]!.ends
    }

    async function loginForm(server: TestServer, person: Person, headers: Record<string, string> = {}) {
      const target = `/self-service/login/api${headers['x-session-token'] ? '?refresh=true' : ''}`
      const flow = (await new Client(server).get(target, headers)).body
      const json = { method: 'password', identifier: person.email, password: person.password }
      return () => new Client(server).send('POST', flow.ui.action, { json, headers })
    }

    async function settingsForm(server: TestServer, token: string) {
      const headers = headersOf(token)
      const { id } = (await new Client(server).get('/self-service/settings/api', headers)).body
      return (json: object) => new Client(server).send('POST', `/self-service/settings?flow=${id}`, { headers, json })
    }

    const NO_MORE: Record<string, (person: Person) => Promise<unknown>> = {
      'its password is set by an operator': ({ identityId, email }) =>
        acknowledged(
          admin('PUT', `/identities/${identityId}`, {
            ...{ schema_id: 'default', state: 'active', traits: { email } },
            credentials: { password: { config: { password: NEW_PASSWORD } } },
          }),
        ),
      'its owner changes the password': async (person) => {
        const { token } = await signInNative(other, person)
        await acknowledged((await settingsForm(other, token))({ method: 'password', password: NEW_PASSWORD }))
      },
      'it is disabled': setState('inactive'),
      'it is deleted': ({ identityId }) => acknowledged(admin('DELETE', `/identities/${identityId}`)),
    }

    for (const [what, change] of Object.entries(NO_MORE)) {
      for (const step of ['begin', 'login_flow.complete', 'session.insert']) {
        test(`a sign-in is held at ${step}; meanwhile ${what}`, async () => {
          const person = await createPerson(other)
          const name = step === 'session.insert' && backend === adopted ? 'session.insert_shared' : step
          const reply = await heldAt(name, await loginForm(held, person), () => change(person))
          assert.ok([400, 401].includes(reply.status), reply.text)
          if (what === 'it is disabled') await setState('active')(person)
          const live = (await sessionsOf(person)).filter(({ active }) => active)
          assert.deepEqual(live, [], 'a session was made by what did not hold any more')
        })
      }

      for (const step of ['begin', 'session.refresh']) {
        test(`a renewal is held at ${step}; meanwhile ${what}`, async () => {
          const person = await createPerson(other)
          const { token, sessionId } = await signInNative(other, person)
          const before = (await admin('GET', `/sessions/${sessionId}`)).body
          const late = await loginForm(held, person, headersOf(token))
          const reply = await heldAt(step, late, () => change(person))
          assert.equal(reply.status, 401, reply.text)
          if (what === 'it is deleted') return
          const after = (await admin('GET', `/sessions/${sessionId}`)).body
          assert.equal(after.authenticated_at, before.authenticated_at)
        })
      }
    }

    for (const mode of ['end', 'suspend'] as const) {
      test(`a sign-in while the identity is disabled (${mode}) has no session once it is enabled`, async () => {
        await other.reconfigure(config({ identity_disabled: mode }))
        const person = await createPerson(other)
        const living = await signInNative(other, person)
        const step = backend === adopted ? 'session.insert_shared' : 'session.insert'
        const reply = await heldAt(step, await loginForm(held, person), () => setState('inactive')(person))
        assert.deepEqual([reply.status, reply.body.error.reason], [401, 'This account was disabled.'])
        await setState('active')(person)
        const sessions = await sessionsOf(person)
        assert.deepEqual(
          sessions.map(({ id, active }) => [id, active]),
          [[living.sessionId, mode === 'suspend']],
        )
        assert.equal(await endsOf(living.sessionId), mode === 'end' ? 1 : 0)
      })
    }

    test('two sign-ins at once with a hash that is to be replaced: both succeed', async (t) => {
      const better = await testServer(t, { db, hasher: testHasher({ bcrypt: { cost: 5 } }), config: config({}) })
      const person = await createPerson(other)
      const step = backend === adopted ? 'session.insert_shared' : 'session.insert'
      const reply = await heldAt(step, await loginForm(held, person), () => signInNative(better, person))
      assert.equal(reply.status, 200, reply.text)
      assert.equal(await isSignedIn(new Client(other), headersOf(reply.body.session_token)), true)
    })

    test('a sign-in needs a verified address; meanwhile it is exchanged for another', async (t) => {
      const hooks = [{ hook: 'require_verified_address' }]
      const needed = { ...config({}), selfservice: { flows: { login: { after: { password: { hooks } } } } } }
      const person = await createPerson(other)
      const before = async (step: string) => {
        if (step !== 'login_flow.complete') return
        const traits = [{ op: 'replace', path: '/traits/email', value: newEmail() }]
        await acknowledged(admin('PATCH', `/identities/${person.identityId}`, traits))
      }
      const strict = await testServer(t, { db: withFaults(db, { before }), config: needed })
      const text = `update identity_verifiable_addresses set verified = true where identity_id = '${person.identityId}'`
      await db.query({ name: '', text })
      const reply = await (await loginForm(strict, person))()
      assert.ok(reply.status >= 400, reply.text)
      assert.deepEqual(await sessionsOf(person), [])
    })

    const ENDS: Record<string, (person: Person, own: { token: string; sessionId: string }) => Promise<unknown>> = {
      'the session signs out': (_, { token }) => logout(token),
      'an operator ends the session': (_, { sessionId }) => acknowledged(admin('DELETE', `/sessions/${sessionId}`)),
      'the sessions are deleted': ({ identityId }) =>
        acknowledged(admin('DELETE', `/identities/${identityId}/sessions`)),
      'the identity is disabled': setState('inactive'),
      'another session ends all others': async (person, _) => {
        const { token } = await signInNative(other, person)
        await acknowledged(new Client(other).send('DELETE', '/sessions', { headers: headersOf(token) }))
      },
    }

    for (const [what, end] of Object.entries(ENDS)) {
      for (const step of ['begin', 'settings_flow.lock', 'session.lock']) {
        for (const method of ['profile', 'password']) {
          test(`a change of the ${method} is held at ${step}; meanwhile ${what}`, async () => {
            const person = await createPerson(other)
            const own = await signInNative(other, person)
            const submit = await settingsForm(held, own.token)
            const json =
              method === 'profile' ? { method, traits: { email: newEmail() } } : { method, password: NEW_PASSWORD }
            const reply = await heldAt(
              step,
              () => submit(json),
              () => end(person, own),
            )
            assert.equal(reply.status, 401, reply.text)
            await setState('active')(person)
            assert.equal((await identityOf(person)).traits.email, person.email)
            assert.ok(await signInNative(other, person), 'the password is another one')
          })
        }
      }

      for (const step of ['session.revoke_all_of_identity']) {
        for (const [way, late, wanted] of [
          ['DELETE /sessions', (c: Client, headers: object) => c.send('DELETE', '/sessions', headers), 401],
          [
            'logout of all',
            (c: Client, h: object) => c.send('POST', '/self-service/logout', { ...h, json: { scope: 'all' } }),
            200,
          ],
          [
            'logout of others',
            (c: Client, h: object) => c.send('POST', '/self-service/logout', { ...h, json: { scope: 'others' } }),
            200,
          ],
        ] as const) {
          if (what === 'the sessions are deleted' || what === 'another session ends all others') continue
          if (what === 'the identity is disabled' && way !== 'DELETE /sessions') continue
          test(`${way} is held; meanwhile ${what}: no other session ends`, async () => {
            const person = await createPerson(other)
            const [own, untouched] = [await signInNative(other, person), await signInNative(other, person)]
            const headers = { headers: headersOf(own.token) }
            const reply = await heldAt(
              step,
              () => late(new Client(held), headers),
              () => end(person, own),
            )
            assert.equal(reply.status, wanted, reply.text)
            if (wanted === 200) assert.deepEqual(reply.body, { revoked: [] })
            await setState('active')(person)
            assert.equal(await isSignedIn(new Client(other), headersOf(untouched.token)), true)
          })
        }
      }
    }

    test('a session that is too old writes back what it was sent: the address that was changed meanwhile stays', async () => {
      const person = await createPerson(other)
      const [fresh, old] = [await signInNative(other, person), await signInNative(other, person)]
      const text = `update sessions set authenticated_at = authenticated_at - interval '10 days' where id = '${old.sessionId}'`
      await db.query({ name: '', text })
      const submit = await settingsForm(held, old.token)
      const email = newEmail()
      const sent = { method: 'profile', traits: { email: person.email, name: { first: 'Ada' } } }
      const reply = await heldAt(
        'begin',
        () => submit(sent),
        async () => acknowledged((await settingsForm(other, fresh.token))({ method: 'profile', traits: { email } })),
      )
      assert.deepEqual([reply.status, reply.body.error.id], [403, 'session_refresh_required'])
      assert.equal((await identityOf(person)).traits.email, email)
    })

    test('40 changes at once and a sign-out: none is made after it was acknowledged', async () => {
      for (let round = 0; round < 3; round += 1) {
        const person = await createPerson(other)
        const { token } = await signInNative(other, person)
        const forms = await Promise.all(Array.from({ length: 40 }, () => settingsForm(held, token)))
        let first = () => {}
        const begun = new Promise<void>((resolve) => {
          first = resolve
        })
        const changes = forms.map((submit) =>
          submit({ method: 'profile', traits: { email: newEmail() } }).finally(() => first()),
        )
        await begun
        await logout(token)
        const { traits } = await identityOf(person)
        const statuses = new Set((await Promise.all(changes)).map(({ status }) => status))
        assert.ok(
          // 503: who waits too long for the row gives up, and has changed nothing either.
          [...statuses].every((status) => [200, 401, 503].includes(status)),
          [...statuses].join(),
        )
        assert.deepEqual((await identityOf(person)).traits, traits)
      }
    })

    describe('a session of a disabled identity that is signed out stays so when the identity is enabled', () => {
      const doors: Record<string, (token: string, sessionId: string) => Promise<Reply>> = {
        'POST current': (token) =>
          new Client(other).send('POST', '/self-service/logout', { headers: headersOf(token), json: {} }),
        'POST all': (token) =>
          new Client(other).send('POST', '/self-service/logout', { headers: headersOf(token), json: { scope: 'all' } }),
        'POST by id': (token, id) =>
          new Client(other).send('POST', '/self-service/logout', {
            headers: headersOf(token),
            json: { session_ids: [id] },
          }),
        'native logout': (token) =>
          new Client(other).send('DELETE', '/self-service/logout/api', { json: { session_token: token } }),
        'logout URL, dead sessions succeed': async (token) => {
          const begun = await new Client(other).get('/self-service/logout/browser', headersOf(token))
          assert.ok(begun.body?.logout_token, `signed out without the token of a logout URL: ${begun.text}`)
          return new Client(other).get(`/self-service/logout?token=${begun.body.logout_token}`, headersOf(token))
        },
        'by an operator': (_, id) => admin('DELETE', `/sessions/${id}`),
        'all by an operator': async (_, id) => {
          const { identity } = (await admin('GET', `/sessions/${id}?expand=identity`)).body
          return admin('DELETE', `/identities/${identity.id}/sessions`)
        },
      }
      for (const [door, signOut] of Object.entries(doors)) {
        test(door, async () => {
          const dead_session = door.includes('succeed') ? 'succeed' : 'error'
          await other.reconfigure({ lethe: { logout: { dead_session }, sessions: { identity_disabled: 'suspend' } } })
          const person = await createPerson(other)
          const { token, sessionId } = await signInNative(other, person)
          const sibling = await signInNative(other, person)
          await setState('inactive')(person)
          const reply = await signOut(token, sessionId)
          assert.ok(reply.status < 400, reply.text)
          await setState('active')(person)
          assert.equal(await isSignedIn(new Client(other), headersOf(token)), false, 'the sign-out was undone')
          assert.equal(await endsOf(sessionId), 1)
          const all = door.includes('all')
          assert.equal(await isSignedIn(new Client(other), headersOf(sibling.token)), !all)
          assert.equal(await endsOf(sibling.sessionId), all ? 1 : 0)
        })
      }

      test('a browser without the anti-CSRF token is refused, since it would end something', async () => {
        const person = await createPerson(other)
        const browser = new Client(other)
        await signIn(browser, person)
        await setState('inactive')(person)
        const refused = await browser.send('POST', '/self-service/logout', { json: {} })
        assert.equal(refused.status, 403, refused.text)
        await setState('active')(person)
        assert.equal(await isSignedIn(browser), true)
      })
    })
  })
}
