import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as v02 from 'ory-client-0-2'
import * as v07 from 'ory-kratos-client-0-7'
import { cookieJar } from '../helpers/cookie-jar.ts'
import { csrfTokenOf, refusal } from '../helpers/sdk.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const EMAIL = 'somebody@example.org'
const PASSWORD = 'Abend-im-Hafen-7'
const CREDENTIALS = { password: { config: { password: PASSWORD } } }

describe('the client of Kratos 0.7', () => {
  const clients = ({ publicUrl, adminUrl }: TestServer) => ({
    open: new v07.V0alpha1Api(new v07.Configuration({ basePath: publicUrl })),
    // Asks for /identities: there was no prefix /admin then.
    admin: new v07.V0alpha1Api(new v07.Configuration({ basePath: adminUrl })),
  })

  async function importAccount(admin: v07.V0alpha1Api): Promise<string> {
    const body = { schema_id: 'default', traits: { email: EMAIL }, credentials: CREDENTIALS }
    return (await admin.adminCreateIdentity(body)).data.id
  }

  async function nativeLogin(open: v07.V0alpha1Api): Promise<string> {
    const { data: flow } = await open.initializeSelfServiceLoginFlowWithoutBrowser()
    const { data } = await open.submitSelfServiceLoginFlow(flow.id, {
      method: 'password',
      password_identifier: EMAIL,
      password: PASSWORD,
    })
    return data.session_token!
  }

  test('signs a browser in and out, as the snippet of the documentation does', async (t) => {
    const { open, admin } = clients(await testServer(t, { dev: true }))
    const id = await importAccount(admin)
    const jar = cookieJar()
    const { data: flow, headers } = await open.initializeSelfServiceLoginFlowForBrowsers()
    jar.take(headers['set-cookie'])
    const login = await open.submitSelfServiceLoginFlow(
      flow.id,
      {
        method: 'password',
        password_identifier: EMAIL,
        password: PASSWORD,
        csrf_token: csrfTokenOf(flow as never),
      },
      { headers: { Cookie: jar.header() } },
    )
    jar.take(login.headers['set-cookie'])
    assert.equal((await open.toSession(undefined, jar.header())).data.identity.id, id)

    const { data } = await open.createSelfServiceLogoutFlowUrlForBrowsers(jar.header())
    // Its type knew the URL only.
    const token = new URL(data.logout_url!).searchParams.get('token')
    assert.ok(token)
    const out = await open.submitSelfServiceLogoutFlow(token, { headers: { Cookie: jar.header() } })
    assert.equal(out.status, 204)
    assert.equal((await refusal(open.toSession(undefined, jar.header()))).status, 401)
    const none = await refusal(open.createSelfServiceLogoutFlowUrlForBrowsers(jar.header()))
    assert.equal(none.status, 401)
  })

  test('signs an app in and out', async (t) => {
    const { open, admin } = clients(await testServer(t))
    await importAccount(admin)
    const token = await nativeLogin(open)
    assert.equal((await open.toSession(token)).data.active, true)
    const out = await open.submitSelfServiceLogoutFlowWithoutBrowser({ session_token: token })
    assert.equal(out.status, 204)
    assert.equal((await refusal(open.toSession(token))).status, 401)
  })

  test('administers identities on paths without /admin', async (t) => {
    const { admin } = clients(await testServer(t))
    const id = await importAccount(admin)
    const { data: list } = await admin.adminListIdentities()
    assert.deepEqual(
      list.map((identity) => identity.id),
      [id],
    )
    assert.deepEqual((await admin.adminGetIdentity(id)).data.traits, { email: EMAIL })
    const changed = await admin.adminUpdateIdentity(id, {
      schema_id: 'default',
      state: 'active' as never,
      traits: { email: EMAIL, name: { first: 'Ada' } },
    })
    assert.deepEqual(changed.data.traits, { email: EMAIL, name: { first: 'Ada' } })
    assert.equal((await admin.adminDeleteIdentity(id)).status, 204)
    assert.equal((await refusal(admin.adminGetIdentity(id))).status, 404)
  })
})

describe('the client 0.2 of the cloud', () => {
  const clients = ({ publicUrl, adminUrl }: TestServer) => ({
    open: new v02.V0alpha2Api(new v02.Configuration({ basePath: publicUrl })),
    admin: new v02.V0alpha2Api(new v02.Configuration({ basePath: adminUrl })),
  })

  async function importAccount(admin: v02.V0alpha2Api): Promise<string> {
    const body = { schema_id: 'default', traits: { email: EMAIL }, credentials: CREDENTIALS }
    return (await admin.adminCreateIdentity(body)).data.id
  }

  async function nativeLogin(open: v02.V0alpha2Api): Promise<string> {
    const { data: flow } = await open.initializeSelfServiceLoginFlowWithoutBrowser()
    const body = { method: 'password', identifier: EMAIL, password: PASSWORD } as const
    return (await open.submitSelfServiceLoginFlow(flow.id, body)).data.session_token!
  }

  test('signs a browser in and out, with a target', async (t) => {
    const { open, admin } = clients(await testServer(t, { dev: true }))
    const id = await importAccount(admin)
    const jar = cookieJar()
    const { data: flow, headers } = await open.initializeSelfServiceLoginFlowForBrowsers()
    jar.take(headers['set-cookie'])
    const login = await open.submitSelfServiceLoginFlow(
      flow.id,
      { method: 'password', identifier: EMAIL, password: PASSWORD, csrf_token: csrfTokenOf(flow) },
      undefined,
      jar.header(),
    )
    jar.take(login.headers['set-cookie'])
    assert.equal((await open.toSession(undefined, jar.header())).data.identity.id, id)

    const { data } = await open.createSelfServiceLogoutFlowUrlForBrowsers(jar.header())
    const withCookie = { headers: { Cookie: jar.header() } }
    const astray = open.submitSelfServiceLogoutFlow(data.logout_token, 'https://elsewhere.example.org/', withCookie)
    assert.equal((await refusal(astray)).status, 400)
    assert.equal((await open.toSession(undefined, jar.header())).data.active, true, 'refused, so nothing has ended')
    const out = await open.submitSelfServiceLogoutFlow(data.logout_token, 'http://127.0.0.1:4455/bye', withCookie)
    assert.equal(out.status, 204)
    assert.equal((await refusal(open.toSession(undefined, jar.header()))).status, 401)
  })

  test('signs an app in and out, and ends other sessions', async (t) => {
    const { open, admin } = clients(await testServer(t))
    const id = await importAccount(admin)
    const [one, two, three] = [await nativeLogin(open), await nativeLogin(open), await nativeLogin(open)]
    assert.equal((await open.listSessions(one)).data.length, 2)
    assert.equal((await open.submitSelfServiceLogoutFlowWithoutBrowser({ session_token: two })).status, 204)
    assert.equal((await open.revokeSessions(one)).data.count, 1)
    for (const token of [two, three]) assert.equal((await refusal(open.toSession(token))).status, 401)
    assert.equal((await admin.adminDeleteIdentitySessions(id)).status, 204)
    assert.equal((await refusal(open.toSession(one))).status, 401)
  })

  test('asks for version and health', async (t) => {
    const { adminUrl } = await testServer(t)
    const metadata = new v02.MetadataApi(new v02.Configuration({ basePath: adminUrl }))
    assert.equal((await metadata.isAlive()).data.status, 'ok')
    assert.equal((await metadata.isReady()).data.status, 'ok')
    assert.equal((await metadata.getVersion()).data.version, 'v26.2.0')
  })
})
