import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as ory from '@ory/client'
import * as kratos from '@ory/kratos-client'
import { cookieJar } from '../helpers/cookie-jar.ts'
import { csrfTokenOf, refusal } from '../helpers/sdk.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const EMAIL = 'somebody@example.org'
const PASSWORD = 'Abend-im-Hafen-7'

for (const { name, sdk } of [
  { name: '@ory/client', sdk: ory },
  { name: '@ory/kratos-client', sdk: kratos },
]) {
  describe(`today's client ${name}`, () => {
    function clients({ publicUrl, adminUrl }: TestServer) {
      const [open, admin] = [{ basePath: publicUrl }, { basePath: adminUrl }].map((at) => new sdk.Configuration(at))
      return {
        frontend: new sdk.FrontendApi(open as never) as kratos.FrontendApi,
        identities: new sdk.IdentityApi(admin as never) as kratos.IdentityApi,
        metadata: new sdk.MetadataApi(admin as never) as kratos.MetadataApi,
      }
    }

    async function importAccount(identities: kratos.IdentityApi): Promise<string> {
      const { data } = await identities.createIdentity({
        createIdentityBody: {
          schema_id: 'default',
          traits: { email: EMAIL },
          credentials: { password: { config: { password: PASSWORD } } },
        },
      })
      return data.id
    }

    async function nativeLogin(frontend: kratos.FrontendApi): Promise<string> {
      const { data: flow } = await frontend.createNativeLoginFlow()
      const { data } = await frontend.updateLoginFlow({
        flow: flow.id,
        updateLoginFlowBody: { method: 'password', identifier: EMAIL, password: PASSWORD },
      })
      assert.ok(data.session_token)
      return data.session_token
    }

    async function browserLogin(frontend: kratos.FrontendApi) {
      const jar = cookieJar()
      const { data: flow, headers } = await frontend.createBrowserLoginFlow()
      jar.take(headers['set-cookie'])
      const answer = await frontend.updateLoginFlow({
        flow: flow.id,
        cookie: jar.header(),
        updateLoginFlowBody: {
          method: 'password',
          identifier: EMAIL,
          password: PASSWORD,
          csrf_token: csrfTokenOf(flow),
        },
      })
      jar.take(answer.headers['set-cookie'])
      return jar
    }

    test('signs a browser in and out', async (t) => {
      const server = await testServer(t, { dev: true })
      const { frontend, identities } = clients(server)
      const id = await importAccount(identities)
      const jar = await browserLogin(frontend)
      const before = await frontend.toSession({ cookie: jar.header() })
      assert.equal(before.data.identity?.id, id)

      const { data: flow } = await frontend.createBrowserLogoutFlow({ cookie: jar.header() })
      assert.ok(flow.logout_url.endsWith(`token=${flow.logout_token}`))
      const signedIn = jar.header()
      const out = await frontend.updateLogoutFlow({ token: flow.logout_token, cookie: signedIn })
      assert.equal(out.status, 204)
      jar.take(out.headers['set-cookie'])
      assert.deepEqual(
        jar.names().filter((cookie) => cookie.includes('session')),
        [],
        'the session cookie is cleared',
      )
      for (const cookie of [signedIn, jar.header()])
        assert.equal((await refusal(frontend.toSession({ cookie }))).status, 401)
      const again = await refusal(frontend.updateLogoutFlow({ token: flow.logout_token, cookie: signedIn }))
      assert.deepEqual([again.status, again.error.id], [401, 'session_inactive'])
    })

    test('signs an app in and out', async (t) => {
      const server = await testServer(t)
      const { frontend, identities } = clients(server)
      await importAccount(identities)
      const token = await nativeLogin(frontend)
      const other = await nativeLogin(frontend)
      assert.equal((await frontend.toSession({ xSessionToken: token })).data.active, true)
      const out = await frontend.performNativeLogout({ performNativeLogoutBody: { session_token: token } })
      assert.equal(out.status, 204)
      assert.equal((await refusal(frontend.toSession({ xSessionToken: token }))).status, 401)
      assert.equal((await frontend.toSession({ xSessionToken: other })).data.active, true, 'the other one stays')
      const unknown = frontend.performNativeLogout({ performNativeLogoutBody: { session_token: 'unknown' } })
      assert.equal((await refusal(unknown)).status, 403)
    })

    test('registers, lists its sessions and ends them', async (t) => {
      const server = await testServer(t)
      const { frontend } = clients(server)
      const { data: flow } = await frontend.createNativeRegistrationFlow()
      const { data } = await frontend.updateRegistrationFlow({
        flow: flow.id,
        updateRegistrationFlowBody: { method: 'password', password: PASSWORD, traits: { email: EMAIL } },
      })
      const mine = { xSessionToken: data.session_token! }
      const other = await nativeLogin(frontend)
      const { data: list } = await frontend.listMySessions(mine)
      assert.deepEqual(
        list.map(({ identity }) => identity?.id),
        [data.identity.id],
      )
      await frontend.disableMySession({ id: list[0]!.id, ...mine })
      assert.equal((await refusal(frontend.toSession({ xSessionToken: other }))).status, 401)
      await nativeLogin(frontend)
      const { data: ended } = await frontend.disableMyOtherSessions(mine)
      assert.equal(ended.count, 1)
      assert.equal((await frontend.toSession(mine)).status, 200)
    })

    test('administers identities and their sessions', async (t) => {
      const server = await testServer(t)
      const { frontend, identities } = clients(server)
      const id = await importAccount(identities)
      assert.deepEqual(
        (await identities.listIdentities()).data.map((identity) => identity.id),
        [id],
      )
      assert.deepEqual((await identities.getIdentity({ id })).data.traits, { email: EMAIL })
      const patched = await identities.patchIdentity({
        id,
        jsonPatch: [{ op: 'add', path: '/metadata_public', value: { plan: 'blue' } }],
      })
      assert.deepEqual(patched.data.metadata_public, { plan: 'blue' })

      const [one, two] = [await nativeLogin(frontend), await nativeLogin(frontend)]
      const { data: sessions } = await identities.listIdentitySessions({ id, active: true })
      assert.equal(sessions.length, 2)
      const first = (await frontend.toSession({ xSessionToken: one })).data.id
      assert.equal((await identities.getSession({ id: first })).data.active, true)
      assert.equal((await identities.disableSession({ id: first })).status, 204)
      assert.equal((await refusal(frontend.toSession({ xSessionToken: one }))).status, 401)
      assert.equal((await identities.deleteIdentitySessions({ id })).status, 204)
      assert.equal((await refusal(frontend.toSession({ xSessionToken: two }))).status, 401)

      const three = await nativeLogin(frontend)
      assert.equal((await identities.deleteIdentity({ id })).status, 204)
      assert.equal((await refusal(frontend.toSession({ xSessionToken: three }))).status, 401)
      assert.equal((await refusal(identities.getIdentity({ id }))).status, 404)
    })

    test('asks for version and health', async (t) => {
      const { metadata } = clients(await testServer(t))
      assert.equal((await metadata.getVersion()).data.version, 'v26.2.0')
      if ('isAlive' in metadata) {
        assert.equal((await metadata.isAlive()).data.status, 'ok')
        assert.equal((await metadata.isReady()).data.status, 'ok')
      }
    })
  })
}
