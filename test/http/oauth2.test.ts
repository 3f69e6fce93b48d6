import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { Client, createPerson, csrfOf, type Person, signIn } from '../helpers/client.ts'
import type { Scope } from '../helpers/db.ts'
import { lastCode } from '../helpers/messages.ts'
import { testServer } from '../helpers/server.ts'

interface Call {
  method: string
  path: string
  authorization: string | undefined
  body: { subject?: string; identity_provider_session_id?: string } | undefined
}

interface Asked {
  skip?: boolean
  subject?: string
  /** the answer to an acceptance */
  redirect_to?: string
}

/** The admin API of an OAuth2 server. @param fails how many calls are answered with 503 first */
async function oauth2Server(t: Scope, request: Asked = {}, fails = 0, more = {}) {
  const calls: Call[] = []
  const http = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const path = req.url ?? ''
    calls.push({
      method: req.method ?? '',
      path,
      authorization: req.headers.authorization,
      body: text === '' ? undefined : JSON.parse(text),
    })
    const failing = calls.length <= fails
    res.writeHead(failing ? 503 : 200, { 'content-type': 'application/json' })
    if (failing) return res.end('{}')
    const answer = { challenge: 'c', request_url: 'https://app.test/begin', skip: false, subject: '', ...request }
    const accepted = { redirect_to: request.redirect_to ?? 'https://app.test/next' }
    return res.end(JSON.stringify(path.includes('/accept') ? accepted : answer))
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  t.after(async () => void http.close())
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`
  const headers = { Authorization: 'Bearer of-the-operator' }
  const server = await testServer(t, { config: { oauth2_provider: { url, headers }, ...more } })
  return { server, calls, accepted: () => calls.filter(({ path }) => path.includes('/accept')) }
}

const BEGIN = '/self-service/login/browser?login_challenge=c'

async function logIn(client: Client, { email, password }: Person, begin = BEGIN) {
  const { ui } = (await client.get(begin)).body
  const csrf_token = ui.nodes.find((node: any) => node.attributes.name === 'csrf_token').attributes.value
  return client.send('POST', ui.action, { json: { method: 'password', identifier: email, password, csrf_token } })
}

describe('the login of an OAuth2 server', () => {
  test('a script that is signed in is told where to go on', async (t) => {
    const { server, calls, accepted } = await oauth2Server(t, { skip: true })
    const [client, person] = [new Client(server), await createPerson(server)]
    const { sessionId } = await signIn(client, person)
    for (const kind of ['login', 'registration']) {
      const { status, body } = await client.get(`/self-service/${kind}/browser?login_challenge=c`)
      assert.deepEqual([kind, status, body.redirect_browser_to], [kind, 422, 'https://app.test/next'])
      const { body: told, authorization } = accepted().at(-1)!
      assert.deepEqual(
        [told?.subject, told?.identity_provider_session_id, authorization],
        [person.identityId, sessionId, 'Bearer of-the-operator'],
      )
    }
    assert.match(calls[0]!.path, /^\/admin\//)
  })

  test('a session is not given for another person than the server knows: that one signs in', async (t) => {
    const person = { id: '' }
    const request = {
      skip: true,
      get subject() {
        return person.id
      },
    }
    const { server, accepted } = await oauth2Server(t, request)
    const [client, one, other] = [new Client(server), await createPerson(server), await createPerson(server)]
    await signIn(client, one)
    person.id = other.identityId
    const registration = await client.get('/self-service/registration/browser?login_challenge=c')
    assert.match(registration.headers.get('location') ?? '', /\/self-service\/login\/browser\?login_challenge=c$/)
    assert.deepEqual(accepted(), [])
    const { status } = await logIn(client, other)
    assert.equal(status, 422)
    assert.deepEqual(
      accepted().map(({ body }) => body?.subject),
      [other.identityId],
    )
    assert.equal((await client.get('/sessions/whoami')).body.identity.id, other.identityId)
  })

  test('a logout that begins there ends the session here', async (t) => {
    const { server, accepted } = await oauth2Server(t)
    const [client, person] = [new Client(server), await createPerson(server)]
    await logIn(client, person)
    const { identity_provider_session_id: id } = accepted()[0]!.body!
    const url = `${server.adminUrl}/admin/sessions/${id}`
    assert.equal((await client.send('DELETE', url)).status, 204)
    assert.equal((await client.get('/sessions/whoami')).status, 401)
  })

  test('is asked again where it fails, and not for ever', async (t) => {
    const { server, calls } = await oauth2Server(t, {}, 5)
    assert.equal((await new Client(server).get(BEGIN)).status, 500)
    assert.equal(calls.length, 3)
    assert.equal((await new Client(server).get(BEGIN)).status, 200)
    assert.equal(calls.length, 6)
  })

  test('an address that a script of a page would run is not passed on', async (t) => {
    const { server } = await oauth2Server(t, { skip: true, redirect_to: 'javascript:alert(1)' })
    const client = new Client(server)
    await signIn(client, await createPerson(server))
    const { status, text } = await client.get(BEGIN)
    assert.deepEqual([status, text.includes('javascript:')], [500, false])
  })

  test('a person who registers without a session is let through, and has none', async (t) => {
    const { server, accepted } = await oauth2Server(t)
    await server.reconfigure({ selfservice: { flows: { registration: { after: { password: { hooks: [] } } } } } })
    const client = new Client(server)
    const { ui } = (await client.get('/self-service/registration/browser?login_challenge=c')).body
    const csrf_token = ui.nodes.find((node: any) => node.attributes.name === 'csrf_token').attributes.value
    const json = {
      method: 'password',
      traits: { email: 'new@example.org' },
      password: 'a-quiet-Harbour-92',
      csrf_token,
    }
    const { status, body } = await client.send('POST', ui.action, { json })
    assert.deepEqual([status, body.continue_with[0].redirect_browser_to], [200, 'https://app.test/next'])
    assert.equal(accepted()[0]?.body?.subject, body.identity.id)
    assert.equal((await client.get('/sessions/whoami')).status, 401)
  })

  const PROVING = {
    selfservice: {
      methods: { code: { enabled: true } },
      flows: {
        verification: { enabled: true, use: 'code' },
        registration: { after: { password: { hooks: [{ hook: 'session' }, { hook: 'show_verification_ui' }] } } },
      },
    },
  }

  for (const [whose, same] of [
    ['the browser that registered', true],
    ['another browser', false],
  ] as const) {
    test(`an address is proved first, and ${whose} goes on ${same ? 'to the server' : 'to sign in'}`, async (t) => {
      const { server, accepted } = await oauth2Server(t)
      await server.reconfigure(PROVING)
      const client = new Client(server)
      const { ui } = (await client.get('/self-service/registration/browser?login_challenge=c')).body
      const email = 'newcomer@example.org'
      const form = {
        method: 'password',
        'traits.email': email,
        password: 'a-quiet-Harbour-92',
        csrf_token: csrfOf({ ui }),
      }
      const registered = await client.send('POST', ui.action, { headers: { accept: 'text/html' }, form })
      const page = new URL(registered.headers.get('location')!)
      assert.deepEqual([page.pathname, accepted()], ['/verification', []])
      const session = (await client.get('/sessions/whoami')).body

      const prover = same ? client : new Client(server)
      const code = await lastCode(server, email, 'verification_code')
      const path = `/self-service/verification?flow=${page.searchParams.get('flow')}`
      // The link of the message hands the flow to the browser that opens it.
      await prover.get(`${path}&code=${code}`, { accept: 'text/html' })
      const proved = await prover.send('POST', path, { headers: { accept: 'text/html' }, form: { code } })
      const flow = (await prover.get(path.replace('?flow=', '/flows?id='))).body
      const onward = flow.ui.nodes.find((node: any) => node.type === 'a').attributes.href
      const told = accepted().map(({ body }) => [body?.subject, body?.identity_provider_session_id])
      if (same) {
        assert.deepEqual([proved.headers.get('location'), onward], ['https://app.test/next', 'https://app.test/next'])
        assert.deepEqual(told, [[session.identity.id, session.id]])
      } else {
        assert.match(proved.headers.get('location') ?? '', /\/verification\?flow=/)
        assert.match(onward, /\/self-service\/login\/browser\?login_challenge=c$/)
        assert.deepEqual(told, [])
      }
    })
  }

  test('a person who has forgotten the password comes back to the app, by the links of the pages', async (t) => {
    const { server, accepted } = await oauth2Server(t, {}, 0, { lethe: { ui: { enabled: true } } })
    await server.reconfigure({
      selfservice: { methods: { code: { enabled: true } }, flows: { recovery: { enabled: true, use: 'code' } } },
    })
    const [client, person] = [new Client(server), await createPerson(server)]
    const HTML = { accept: 'text/html' }
    const opened = await client.get(BEGIN, HTML)
    const flowOf = (location: string | null) => new URL(location ?? '', server.publicUrl).searchParams.get('flow')
    const page = await client.get(`/ui/login?flow=${flowOf(opened.headers.get('location'))}`, HTML)
    const link = /href="\.\.(\/self-service\/recovery\/browser[^"]*)"/.exec(page.text)?.[1] ?? ''
    assert.equal(link, '/self-service/recovery/browser?login_challenge=c')
    assert.match(page.text, /\/self-service\/registration\/browser\?login_challenge=c"/)

    const recovery = flowOf((await client.get(link, HTML)).headers.get('location'))
    const read = async (kind: string, id: string | null) =>
      (await client.get(`/self-service/${kind}/flows?id=${id}`)).body as { ui: { action: string; nodes: never[] } }
    const submit = async (kind: string, id: string | null, values: Record<string, string>) => {
      const flow = await read(kind, id)
      const form = { csrf_token: csrfOf(flow), ...values }
      return client.send('POST', `/self-service/${kind}?flow=${id}`, { headers: HTML, form })
    }
    await submit('recovery', recovery, { method: 'code', email: person.email })
    const code = await lastCode(server, person.email, 'recovery_code')
    const recovered = await submit('recovery', recovery, { method: 'code', code })
    const settings = flowOf(recovered.headers.get('location'))
    assert.deepEqual(accepted(), [])
    const password = 'another-Harbour-31'
    const saved = await submit('settings', settings, { method: 'password', password })
    const onward = new URL(saved.headers.get('location')!)
    assert.equal(`${onward.pathname}${onward.search}`, BEGIN)
    const done = await logIn(client, { ...person, password })
    assert.deepEqual([done.status, done.body.redirect_browser_to], [422, 'https://app.test/next'])
    assert.deepEqual(
      accepted().map(({ body }) => body?.subject),
      [person.identityId],
    )
  })

  test('a recovery goes nowhere else for a challenge where no server is configured', async (t) => {
    const { server } = await oauth2Server(t)
    await server.reconfigure({
      oauth2_provider: { url: null, headers: null },
      selfservice: { methods: { code: { enabled: true } }, flows: { recovery: { enabled: true, use: 'code' } } },
    })
    const [client, person] = [new Client(server), await createPerson(server)]
    const { body: flow } = await client.get('/self-service/recovery/browser?login_challenge=c')
    const path = `/self-service/recovery?flow=${flow.id}`
    const send = (json: object) =>
      client.send('POST', path, { json: { csrf_token: csrfOf(flow), method: 'code', ...json } })
    await send({ email: person.email })
    const { body } = await send({ code: await lastCode(server, person.email, 'recovery_code') })
    const settings = new URL(body.redirect_browser_to).searchParams.get('flow')
    const read = (await client.get(`/self-service/settings/flows?id=${settings}`)).body
    assert.ok(!read.request_url.includes('login_challenge'))
  })
})
