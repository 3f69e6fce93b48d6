import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Micros, parseTime, SECOND } from '../../src/kernel/base/clock.ts'
import { Client, createPerson, type Person, type Reply, signIn, signInNative } from '../helpers/client.ts'
import type { Scope } from '../helpers/db.ts'
import type { TestServer } from '../helpers/server.ts'
import { T0 } from '../helpers/sessions.ts'
import { BROWSER, openLogin, uiServer } from '../helpers/ui.ts'

const MINUTE = 60 * SECOND

async function open(t: Scope, sessions: object = {}, more: object = {}) {
  let now: Micros = parseTime(T0)
  const config = { ...more, lethe: { sessions, ui: { texts: { 'ended.limit': 'too many' } } } }
  const server = await uiServer(t, { config, clock: { now: () => now } })
  return {
    server,
    pass: (time: Micros) => {
      now += time
    },
  }
}

async function browserOf(server: TestServer, person: Person) {
  const client = new Client(server)
  const { sessionId } = await signIn(client, person)
  return { client, sessionId }
}

const noteOf = (reply: Reply) => /<div class="box" role="status"><p>([^<]*)<\/p>/.exec(reply.text)?.[1]
const clears = (reply: Reply) =>
  reply.setCookie.some((line) => line.startsWith('ory_kratos_session=;') && /Max-Age=0/.test(line))

/** What the page of sessions says of those that have ended, newest first. */
function earlierOn(page: Reply) {
  const [, list = ''] = page.text.split('<h2>Earlier sessions</h2>')
  return [...list.matchAll(/<dt>Why<\/dt><dd>([^<]*)</g)].map((match) => match[1])
}

describe('the sign-in page', () => {
  it('says once that an idle session has ended, from that moment on and after it was collected', async (t) => {
    const { server, pass } = await open(t, { idle_timeout: '30m' })
    const person = await createPerson(server)
    for (const collected of [false, true]) {
      const { client } = await browserOf(server, person)
      assert.equal(noteOf(await client.get('/ui/login', BROWSER)), undefined)
      pass(32 * MINUTE)
      if (collected) await server.deps.collector.round()
      const { reply, path } = await openLogin(client)
      assert.equal(noteOf(reply), 'You were signed out after 30 minutes without use.')
      assert.ok(clears(reply))
      const again = await client.get(path, BROWSER)
      assert.equal(noteOf(again), undefined)
      assert.ok(!clears(again))
    }
  })

  it('has words for each cause', async (t) => {
    const { server, pass } = await open(t, { absolute_timeout: '12h', max_per_identity: 2, idle_timeout: '90m' })
    const noteAfter = async (end: (one: { client: Client; sessionId: string; person: Person }) => Promise<unknown>) => {
      const person = await createPerson(server)
      const one = await browserOf(server, person)
      await end({ ...one, person })
      return noteOf((await openLogin(one.client)).reply)
    }
    const admin = (method: string, path: string) => new Client(server).send(method, server.adminUrl + path)
    const other = async (person: Person, method: string, path: string) => {
      const { token } = await signInNative(server, person)
      await new Client(server).send(method, path, { headers: { 'x-session-token': token } })
    }
    const notes = [
      await noteAfter(({ sessionId }) => admin('DELETE', `/admin/sessions/${sessionId}`)),
      await noteAfter(({ person }) => other(person, 'DELETE', '/sessions')),
      await noteAfter(async ({ person }) => {
        pass(MINUTE)
        await signInNative(server, person)
        await signInNative(server, person)
      }),
      await noteAfter(async ({ client }) => {
        for (let hour = 0; hour < 12; hour += 1) {
          pass(60 * MINUTE)
          await client.get('/sessions/whoami')
          await server.deps.lastSeen.flush()
        }
      }),
      await noteAfter(async () => pass(2 * 60 * MINUTE)),
      await noteAfter(({ client }) =>
        client.send('DELETE', '/self-service/logout/api', { json: { session_token: 'unknown' } }),
      ),
    ]
    assert.deepEqual(notes, [
      'You were signed out by those who run this service.',
      'You were signed out from another device of yours.',
      'You were signed out here because you signed in on more devices than are allowed at once.',
      'You were signed out 12 hours after you had signed in, which is as long as this service allows.',
      'You were signed out after 90 minutes without use.',
      undefined,
    ])
  })

  it('tells nothing, and clears nothing, for a forged cookie, an unknown session, or while another one is left', async (t) => {
    const { server, pass } = await open(t, { idle_timeout: '30m' })
    const person = await createPerson(server)
    const { client, sessionId } = await browserOf(server, person)
    const cookie = client.jar.header('/')!
    pass(MINUTE)
    const other = await browserOf(server, person)
    await new Client(server).send('DELETE', `${server.adminUrl}/admin/sessions/${sessionId}`)
    const session = /ory_kratos_session=([^;]+)/
    const valid = session.exec(cookie)![1]!
    const left = session.exec(other.client.jar.header('/')!)![1]!
    for (const value of [`${valid}x`, 'x', `${valid}; ory_kratos_session=${left}`]) {
      const stranger = new Client(server)
      const { path } = await openLogin(stranger)
      const headers = { ...BROWSER, cookie: `${stranger.jar.header('/')}; ory_kratos_session=${value}` }
      const reply = await stranger.get(path, headers)
      assert.equal(reply.status, 200)
      assert.equal(noteOf(reply), undefined, value)
      assert.ok(!clears(reply))
    }
    assert.equal((await other.client.get('/sessions/whoami')).status, 200)
  })
})

describe('the page of sessions', () => {
  it('says of the last ten that ended why, to their owner alone', async (t) => {
    const { server, pass } = await open(t, { idle_timeout: '30m', max_per_identity: 3 })
    const person = await createPerson(server)
    await browserOf(server, person)
    pass(32 * MINUTE)
    const { client } = await browserOf(server, person)
    assert.deepEqual(
      earlierOn(await client.get('/ui/welcome', BROWSER)),
      ['not used for too long'],
      'not collected yet',
    )
    await server.deps.collector.round()
    assert.deepEqual(earlierOn(await client.get('/ui/welcome', BROWSER)), ['not used for too long'])
    const revoked = await signInNative(server, person)
    await client.send('DELETE', `/sessions/${revoked.sessionId}`)
    pass(SECOND)
    assert.deepEqual(earlierOn(await client.get('/ui/welcome', BROWSER)), [
      'signed out from another device',
      'not used for too long',
    ])
    for (let made = 0; made < 12; made += 1) {
      pass(SECOND)
      await signInNative(server, person)
      await client.get('/ui/welcome', BROWSER)
    }
    const last = await browserOf(server, person)
    assert.deepEqual(earlierOn(await last.client.get('/ui/welcome', BROWSER)), Array(10).fill('too many'))
    const others = await browserOf(server, await createPerson(server))
    assert.doesNotMatch((await others.client.get('/ui/welcome', BROWSER)).text, /Earlier sessions/)
  })

  it('goes on saying it when the row is deleted, from the log of events', async (t) => {
    const { server, pass } = await open(t)
    const person = await createPerson(server)
    const gone = await browserOf(server, person)
    await new Client(server).send('DELETE', `${server.adminUrl}/admin/sessions/${gone.sessionId}`)
    pass(25 * 60 * MINUTE)
    await server.deps.collector.round()
    const { client } = await browserOf(server, person)
    const page = await client.get('/ui/welcome', BROWSER)
    assert.deepEqual(earlierOn(page), ['ended by those who run this service'])
    assert.match(page.text.split('Earlier sessions')[1]!, /<h3>node<\/h3>[\s\S]*<dt>Address<\/dt><dd>127\.0\.0\.1/)
    assert.equal(noteOf((await openLogin(gone.client)).reply), undefined, 'nobody knows its cookie any more')
  })
})
