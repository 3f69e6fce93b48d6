import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  Configuration,
  CourierApi,
  FrontendApi,
  IdentityApi,
  MetadataApi,
  type UiNode,
  type UiNodeTextAttributes,
} from '@ory/kratos-client'
import { cookieJar } from '../helpers/cookie-jar.ts'
import { closingScope } from '../helpers/db.ts'
import { serverWithProvider, type WithProvider } from '../helpers/provider-sign-in.ts'
import { csrfTokenOf, refusal } from '../helpers/sdk.ts'
import { checkedClient, operationsOf } from '../helpers/sdk-described.ts'
import { codeAt, SECOND_FACTORS } from '../helpers/second-factor.ts'

const PASSWORD = 'Abend-im-Hafen-7'
const NOBODY = '2f3f3f3f-1111-4222-8333-444444444444'
const BACK = 'http://127.0.0.1:4455/back'

/** Kratos describes them, and no build of it that can be had serves them. */
const NOT_SERVED = ['createFedcmFlow', 'updateFedcmFlow']

describe('every operation of the client, as a typed one reads its answers', () => {
  const scope = closingScope()
  const called = new Set<string>()
  let stub: WithProvider
  let frontend: FrontendApi
  let identities: IdentityApi
  let courier: CourierApi
  let metadata: MetadataApi

  before(async () => {
    stub = await serverWithProvider(scope, {
      wireConfig: 'code-passwordless',
      dev: true,
      config: {
        ...SECOND_FACTORS,
        'watch-courier': null,
        courier: { smtp: { connection_uri: 'smtp://127.0.0.1:1/' } },
      },
    })
    const [open, admin] = [stub.server.publicUrl, stub.server.adminUrl].map(
      (basePath) => new Configuration({ basePath }),
    )
    frontend = checkedClient(new FrontendApi(open), called)
    identities = checkedClient(new IdentityApi(admin), called)
    courier = checkedClient(new CourierApi(admin), called)
    metadata = checkedClient(new MetadataApi(admin), called)
  })
  after(() => scope.close())

  async function mailedCode(recipient: string): Promise<string> {
    const { data } = await courier.listCourierMessages({ recipient, status: 'queued', pageSize: 10 })
    const { data: message } = await courier.getCourierMessage({ id: data[0]!.id })
    return /\b\d{6}\b/.exec(message.body)?.[0] ?? assert.fail(message.body)
  }

  async function register(email: string) {
    const { data: flow } = await frontend.createNativeRegistrationFlow()
    const { data } = await frontend.updateRegistrationFlow({
      flow: flow.id,
      updateRegistrationFlowBody: { method: 'password', password: PASSWORD, traits: { email } },
    })
    return { xSessionToken: data.session_token!, id: data.identity.id, sessionId: data.session!.id }
  }

  async function login(identifier: string) {
    const { data: flow } = await frontend.createNativeLoginFlow()
    const { data } = await frontend.updateLoginFlow({
      flow: flow.id,
      updateLoginFlowBody: { method: 'password', identifier, password: PASSWORD },
    })
    return { xSessionToken: data.session_token! }
  }

  const textOf = (nodes: UiNode[], id: string) =>
    (nodes.map(({ attributes }) => attributes as UiNodeTextAttributes).find((one) => one.id === id) ?? assert.fail(id))
      .text

  test('registers and signs in by code', async () => {
    const email = 'code@example.org'
    const { data: flow } = await frontend.createNativeRegistrationFlow()
    await frontend.getRegistrationFlow({ id: flow.id })
    const body = { method: 'code' as const, traits: { email } }
    const submit = (more: object) =>
      frontend.updateRegistrationFlow({ flow: flow.id, updateRegistrationFlowBody: { ...body, ...more } })
    await assert.rejects(submit({}), { status: 400 })
    assert.ok((await submit({ code: await mailedCode(email) })).data.session_token)

    const { data: again } = await frontend.createNativeLoginFlow()
    await frontend.getLoginFlow({ id: again.id })
    const sign = { method: 'code' as const, csrf_token: '', identifier: email }
    const answer = (more: object) =>
      frontend.updateLoginFlow({ flow: again.id, updateLoginFlowBody: { ...sign, ...more } })
    await assert.rejects(answer({}), { status: 400 })
    const done = await answer({ code: await mailedCode(email) })
    assert.equal(done.data.session.authenticator_assurance_level, 'aal1')
  })

  test('changes everything of an account, and signs in by each factor', async () => {
    const email = 'factors@example.org'
    const me = await register(email)
    const begin = () => frontend.createNativeSettingsFlow(me)
    async function change(updateSettingsFlowBody: object, flow?: string) {
      const id = flow ?? (await begin()).data.id
      await frontend.getSettingsFlow({ ...me, id })
      const body = updateSettingsFlowBody as { method: 'profile'; traits: object }
      return (await frontend.updateSettingsFlow({ flow: id, updateSettingsFlowBody: body, ...me })).data
    }
    await change({ method: 'profile', traits: { email, name: 'Ada' } })
    await change({ method: 'password', password: `${PASSWORD}-8` })
    await change({ method: 'password', password: PASSWORD })
    await assert.rejects(change({ method: 'password', password: 'x' }), { status: 400 })
    await assert.rejects(change({ method: 'oidc', link: 'one' }), { status: 422 })
    const { data: form } = await begin()
    const secret = textOf(form.ui.nodes, 'totp_secret_key').text
    const now = Date.now() / 1000
    await change({ method: 'totp', totp_code: codeAt(now, secret) }, form.id)
    const { data: codes } = await begin()
    const shown = await change({ method: 'lookup_secret', lookup_secret_regenerate: true }, codes.id)
    const { secrets } = textOf(shown.ui.nodes, 'lookup_secret_codes').context as {
      secrets: { context: { secret: string } }[]
    }
    await change({ method: 'lookup_secret', lookup_secret_confirm: true }, codes.id)

    for (const updateLoginFlowBody of [
      { method: 'totp' as const, totp_code: codeAt(now + 30, secret) },
      { method: 'lookup_secret' as const, lookup_secret: secrets[0]!.context.secret },
    ]) {
      const half = await login(email)
      const { data: flow } = await frontend.createNativeLoginFlow({ aal: 'aal2', ...half })
      await frontend.updateLoginFlow({ flow: flow.id, updateLoginFlowBody, ...half })
      assert.equal((await frontend.toSession(half)).data.authenticator_assurance_level, 'aal2')
    }
    await identities.getIdentity({ id: me.id, includeCredential: ['totp', 'lookup_secret', 'password', 'code'] })
    for (const type of ['totp', 'lookup_secret'] as const) {
      assert.equal((await identities.deleteIdentityCredentials({ id: me.id, type })).status, 204)
    }
  })

  test('recovers and verifies', async () => {
    const email = 'recovers@example.org'
    const me = await register(email)
    const { data: recovery } = await frontend.createNativeRecoveryFlow()
    const recover = (body: { email: string } | { code: string }) =>
      frontend.updateRecoveryFlow({ flow: recovery.id, updateRecoveryFlowBody: { method: 'code', ...body } })
    assert.equal((await recover({ email })).data.state, 'sent_email')
    await frontend.getRecoveryFlow({ id: recovery.id })
    const code = await mailedCode(email)
    await recover({ code: code === '000000' ? '111111' : '000000' })
    await assert.rejects(recover({ code }), { status: 422 })
    for (const flow_type of ['api', 'browser']) {
      const { data } = await identities.createRecoveryCodeForIdentity({
        createRecoveryCodeForIdentityBody: { identity_id: me.id, expires_in: '1h', flow_type },
      })
      assert.match(data.recovery_code, /^\d{6}$/)
    }

    const { data: verification } = await frontend.createNativeVerificationFlow()
    const verify = (body: { email: string } | { code: string }) =>
      frontend.updateVerificationFlow({
        flow: verification.id,
        updateVerificationFlowBody: { method: 'code', ...body },
      })
    await verify({ email })
    await frontend.getVerificationFlow({ id: verification.id })
    assert.equal((await verify({ code: await mailedCode(email) })).data.state, 'passed_challenge')
  })

  test('exchanges the codes of an app whose browser was at a provider', async () => {
    const { data: flow } = await frontend.createNativeLoginFlow({
      returnSessionTokenExchangeCode: true,
      returnTo: BACK,
    })
    const body = { method: 'oidc' as const, provider: 'one' }
    const sent = await frontend.updateLoginFlow({ flow: flow.id, updateLoginFlowBody: body }).catch((thrown) => thrown)
    assert.equal(sent.response?.status, 422)
    const back = stub.provider.signIn(sent.response.data.redirect_browser_to, { sub: 'x', email: 'x@example.org' })
    const answer = await fetch(back, { redirect: 'manual' })
    const returnToCode = new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? ''
    const codes = { initCode: flow.session_token_exchange_code ?? '', returnToCode }
    assert.ok((await frontend.exchangeSessionToken(codes)).data.session_token)
    assert.equal((await refusal(frontend.exchangeSessionToken(codes))).status, 404)
  })

  test('signs a browser in and out', async () => {
    const email = 'browser@example.org'
    const me = await register(email)
    const jar = cookieJar()
    const { data: flow, headers } = await frontend.createBrowserLoginFlow()
    jar.take(headers['set-cookie'])
    const form = { method: 'password' as const, identifier: email, password: PASSWORD, csrf_token: csrfTokenOf(flow) }
    const signIn = { flow: flow.id, cookie: jar.header(), updateLoginFlowBody: form }
    jar.take((await frontend.updateLoginFlow(signIn)).headers['set-cookie'])
    const cookie = jar.header()
    await frontend.createBrowserSettingsFlow({ cookie })
    await frontend.disableMyOtherSessions({ cookie })
    assert.equal((await refusal(frontend.toSession(me))).status, 401)
    const one = await login(email)
    const { data: sessions } = await frontend.listMySessions({ cookie, pageSize: 5 })
    await frontend.disableMySession({ id: sessions[0]!.id, cookie })
    assert.equal((await refusal(frontend.toSession(one))).status, 401)
    const { data: out } = await frontend.createBrowserLogoutFlow({ cookie })
    await frontend.updateLogoutFlow({ token: out.logout_token, cookie })
    assert.equal((await refusal(frontend.createBrowserLogoutFlow({ cookie }))).status, 401)
    const two = await login(email)
    await frontend.performNativeLogout({ performNativeLogoutBody: { session_token: two.xSessionToken } })
    await frontend.createBrowserRegistrationFlow()
    await frontend.createBrowserRecoveryFlow()
    await frontend.createBrowserVerificationFlow({ returnTo: BACK })
    assert.equal(
      (await refusal(frontend.createBrowserVerificationFlow({ returnTo: 'https://evil.example' }))).status,
      400,
    )
    await frontend.getFlowError({ id: 'stub:500' })
    assert.equal((await refusal(frontend.getFlowError({ id: NOBODY }))).status, 404)
    for (const get of [frontend.getLoginFlow, frontend.getRegistrationFlow, frontend.getRecoveryFlow]) {
      assert.equal((await refusal(get({ id: NOBODY }))).status, 404)
    }
    assert.match((await frontend.getWebAuthnJavaScript()).data, /oryWebAuthn/)
  })

  test('administers identities, sessions and schemas', async () => {
    const email = 'imported@example.org'
    const createIdentityBody = {
      schema_id: 'code',
      traits: { email },
      external_id: 'of-the-crm',
      metadata_public: { plan: 'blue' },
      metadata_admin: { since: 1999 },
      credentials: {
        password: { config: { password: PASSWORD } },
        oidc: { config: { providers: [{ provider: 'one', subject: 'imported' }] } },
      },
      verifiable_addresses: [{ value: email, via: 'email' as const, verified: true, status: 'completed' }],
    }
    const { data: made } = await identities.createIdentity({ createIdentityBody })
    const { id } = made
    assert.equal((await refusal(identities.createIdentity({ createIdentityBody }))).status, 409)
    await identities.getIdentity({ id, includeCredential: ['oidc', 'password'] })
    const { data: same } = await identities.getIdentityByExternalID({ externalID: 'of-the-crm' })
    assert.equal(same.id, id)
    const { data: found } = await identities.listIdentities({
      credentialsIdentifier: email,
      includeCredential: ['oidc'],
    })
    assert.deepEqual(
      found.map((one) => one.id),
      [id],
    )
    const updateIdentityBody = { schema_id: 'code', traits: { email, name: 'Grace' }, state: 'active' as const }
    await identities.updateIdentity({ id, updateIdentityBody })
    await identities.patchIdentity({ id, jsonPatch: [{ op: 'replace', path: '/traits/name', value: 'Ada' }] })
    await identities.deleteIdentityCredentials({ id, type: 'oidc', identifier: 'one:imported' })
    const link = identities.createRecoveryLinkForIdentity({ createRecoveryLinkForIdentityBody: { identity_id: id } })
    assert.equal((await refusal(link)).status, 404, 'the method is off')
    await stub.server.reconfigure({ selfservice: { methods: { link: { enabled: true } } } })
    await identities.createRecoveryLinkForIdentity({ createRecoveryLinkForIdentityBody: { identity_id: id } })
    const create = (to: string) => ({ create: { schema_id: 'code', traits: { email: to } }, patch_id: NOBODY })
    const { data: batch } = await identities.batchPatchIdentities({
      patchIdentitiesBody: { identities: [create('new@example.org'), create(email)] },
    })
    assert.deepEqual(
      batch.identities?.map(({ action }) => action),
      ['create', 'error'],
    )

    const me = await login(email)
    const { data: session } = await frontend.toSession(me)
    await identities.getSession({ id: session.id, expand: ['identity', 'devices'] })
    await identities.listSessions({ active: true, expand: ['identity', 'devices'] })
    assert.equal((await identities.listIdentitySessions({ id, active: true })).data.length, 1)
    await identities.extendSession({ id: session.id })
    assert.equal((await identities.disableSession({ id: session.id })).status, 204)
    assert.equal((await identities.deleteIdentitySessions({ id })).status, 204)
    assert.equal((await refusal(identities.getSession({ id: NOBODY }))).status, 404)
    const { data: schemas } = await identities.listIdentitySchemas()
    await identities.getIdentitySchema({ id: schemas[0]!.id })
    assert.equal((await identities.deleteIdentity({ id })).status, 204)
    assert.equal((await refusal(identities.getIdentity({ id }))).status, 404)
    assert.equal((await refusal(courier.getCourierMessage({ id: NOBODY }))).status, 404)
    await Promise.all([metadata.getVersion(), metadata.isAlive(), metadata.isReady()])
  })

  test('leaves no operation out', () => {
    const all = operationsOf(FrontendApi, IdentityApi, CourierApi, MetadataApi)
    assert.deepEqual(all.filter((name) => !called.has(name)).sort(), NOT_SERVED)
  })
})
