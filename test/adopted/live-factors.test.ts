import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { Client, signIn } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import {
  beginInBrowser,
  FACTORS,
  factorServer,
  keysInHand,
  type LivePerson,
  messageIds,
  personOf,
  shownIn,
  TIME,
} from '../helpers/live-factors.ts'
import { codeAt, halfSignedIn } from '../helpers/second-factor.ts'
import type { TestServer } from '../helpers/server.ts'

const NOW = Date.parse(TIME) / 1000
const people = Object.entries(FACTORS.identities)
const having = (factor: keyof LivePerson) => people.filter(([, person]) => person[factor] !== undefined)
const keysOf = (factor: 'webauthn' | 'passkey') =>
  having(factor).flatMap(([name, person]) => Object.keys(person[factor]!).map((key) => ({ name, person, key })))

describe('factors that people set up at Kratos', () => {
  const scope = closingScope()
  let server: TestServer
  let keys: Awaited<ReturnType<typeof keysInHand>>
  before(async () => {
    server = await factorServer(scope)
    keys = await keysInHand()
  })
  after(() => scope.close())

  for (const [name, session] of Object.entries(FACTORS.sessions)) {
    test(`the session ${name} is worth what it was`, async () => {
      const { status, body } = session.whoami
      const held = session.cookie ? { cookie: session.cookie } : { 'x-session-token': session.session_token }
      const answer = await new Client(server).get('/sessions/whoami', held)
      assert.equal(answer.status, status)
      if (status === 200) assert.deepEqual(answer.body, body)
      else assert.equal(answer.body.error.id, 'session_aal2_required')
    })
  }

  for (const [name, { id, admin_get }] of people) {
    test(`${name}: an operator sees what Kratos showed`, async () => {
      const types = ['totp', 'lookup_secret', 'webauthn', 'passkey']
      const query = types.map((type) => `include_credential=${type}`).join('&')
      const { body } = await new Client(server).get(`${server.adminUrl}/admin/identities/${id}?${query}`)
      assert.deepEqual(body.credentials, admin_get)
    })
  }

  for (const [name, person] of having('totp')) {
    test(`${name}: the app, with a code that passes once`, async () => {
      const own = await halfSignedIn(server, personOf(person))
      assert.equal(await own.whoami(), 403)
      const json = { method: 'totp', totp_code: codeAt(NOW, person.totp!.secret) }
      assert.equal((await own.submit(json)).status, 200)
      assert.equal(await own.whoami(), 200)
      const again = await (await halfSignedIn(server, personOf(person))).submit(json)
      assert.deepEqual([again.status, messageIds(again)], [400, [4000008]])
    })
  }

  for (const [name, person] of having('lookup_secret')) {
    test(`${name}: each backup code that is left passes once, those used at Kratos never`, async () => {
      const { codes, used } = person.lookup_secret!
      for (const code of codes) {
        const own = await halfSignedIn(server, personOf(person))
        const use = () => own.submit({ method: 'lookup_secret', lookup_secret: code })
        if (!used.includes(code)) assert.equal((await use()).status, 200, code)
        const again = await (await halfSignedIn(server, personOf(person))).submit({
          method: 'lookup_secret',
          lookup_secret: code,
        })
        assert.deepEqual([again.status, messageIds(again)], [400, [4000012]], code)
      }
    })
  }

  for (const { name, person, key } of keysOf('webauthn')) {
    test(`${name}: the security key ${key} as second factor, and no session without it`, async () => {
      const browser = new Client(server)
      await signIn(browser, personOf(person)).catch(() => {})
      assert.equal((await browser.get('/sessions/whoami')).status, 403)
      const use = async (faults: object) => {
        const { flow, submit } = await beginInBrowser(browser, '/self-service/login/browser?aal=aal2')
        const answer = await keys.sign(key, shownIn(flow, 'webauthn_login_trigger'), faults)
        return submit({ method: 'webauthn', identifier: person.email, webauthn_login: answer })
      }
      for (const faults of [{ breakSignature: true }, { origin: 'https://evil.example' }]) {
        const refused = await use(faults)
        assert.deepEqual([refused.status, messageIds(refused)], [400, [4000008]], JSON.stringify(faults))
      }
      const done = await use({})
      assert.equal(done.status, 200, done.text)
      assert.equal((await browser.get('/sessions/whoami')).body.authenticator_assurance_level, 'aal2')
    })
  }

  for (const { name, person, key } of keysOf('passkey')) {
    test(`${name}: the passkey ${key}, in a browser and in an app, and not from another site`, async () => {
      const browser = new Client(server)
      const { flow, submit } = await beginInBrowser(browser, '/self-service/login/browser')
      const passkey_login = await keys.sign(key, shownIn(flow, 'passkey_challenge'))
      assert.equal((await submit({ passkey_login })).status, 200)
      assert.equal((await browser.get('/sessions/whoami')).body.identity.id, person.id)
      const app = new Client(server)
      const use = async (faults: object) => {
        const { body } = await app.get('/self-service/login/api')
        const answer = await keys.sign(key, shownIn(body, 'passkey_challenge'), faults)
        const json = { method: 'passkey', passkey_login: answer }
        return app.send('POST', `/self-service/login?flow=${body.id}`, { json })
      }
      const refused = await use({ origin: 'https://evil.example' })
      assert.deepEqual([refused.status, messageIds(refused)], [400, [4000008]])
      assert.equal((await use({})).body.session.identity.id, person.id)
    })
  }
})

describe('flows for a factor that Kratos began and Lethe finishes', () => {
  const scope = closingScope()
  let server: TestServer
  let keys: Awaited<ReturnType<typeof keysInHand>>
  before(async () => {
    server = await factorServer(scope)
    keys = await keysInHand()
  })
  after(() => scope.close())

  async function finish(name: string, json: object) {
    const { id, session, csrf_token, cookie } = FACTORS.flows[name]!
    const held = session === undefined ? undefined : FACTORS.sessions[session]!
    const headers: Record<string, string> =
      (held?.cookie ?? cookie) ? { cookie: (held?.cookie ?? cookie)! } : { 'x-session-token': held!.session_token }
    const kind = name.startsWith('una') ? 'settings' : 'login'
    const reply = await new Client(server).send('POST', `/self-service/${kind}?flow=${id}`, {
      headers,
      json: { ...json, ...(csrf_token ? { csrf_token } : {}) },
    })
    assert.equal(reply.status, 200, reply.text)
    if (!held) return
    const { body } = await new Client(server).get('/sessions/whoami', { 'x-session-token': held.session_token })
    assert.equal(body.authenticator_assurance_level, 'aal2')
  }
  const secretOf = (name: string) => FACTORS.identities[name]!.totp!.secret

  test('a step-up by an app, in an app and in a browser', async () => {
    const code = (offset: number) => ({ method: 'totp', totp_code: codeAt(NOW + offset, secretOf('tina')) })
    await finish('tina-step-up-native', code(0))
    await finish('tina-step-up-browser', code(30))
  })

  test('a step-up by a key', async () => {
    const { options } = FACTORS.flows['wanda-step-up-browser']!
    const answer = await keys.sign('blue', options!)
    const json = { method: 'webauthn', identifier: 'wanda@example.org', webauthn_login: answer }
    await finish('wanda-step-up-browser', json)
  })

  test('codes and an app that were shown and not yet confirmed', async () => {
    await finish('una-codes-unconfirmed', { lookup_secret_confirm: true })
    const { secret } = FACTORS.flows['una-settings-open']!
    await finish('una-settings-open', { method: 'totp', totp_code: codeAt(NOW, secret) })
    const own = await halfSignedIn(server, personOf(FACTORS.identities.una!))
    const code = FACTORS.flows['una-codes-unconfirmed']!.codes![0]
    assert.equal((await own.submit({ method: 'lookup_secret', lookup_secret: code })).status, 200)
  })

  test('a sign-in by passkey', async () => {
    const passkey_login = await keys.sign('pat-phone', FACTORS.flows['login-browser-open']!.options!)
    await finish('login-browser-open', { method: 'passkey', passkey_login })
  })
})

// What a key proves is said by its row; Kratos wrote the same row for the one role as for the other.
const PASSWORDLESS = sql(
  'test.passwordless',
  `update identity_credentials set config = jsonb_set(config, '{credentials,0,is_passwordless}', 'true')
   where identity_id = $1 and config -> 'credentials' is not null`,
)
const ROWS = sql(
  'test.factor_rows',
  `select t.name as type, c.version, c.config, array(select i.identifier from identity_credential_identifiers i
     where i.identity_credential_id = c.id order by i.created_at)::text[] as identifiers
   from identity_credentials c join identity_credential_types t on t.id = c.identity_credential_type_id
   where c.identity_id = $1 and t.name <> 'password' order by t.name`,
)
interface Row {
  type: string
  version: number
  config: any
  identifiers: string[]
}

/** Which members of which kinds a row has, and whom its identifiers name. */
function formOf({ type, version, config, identifiers }: Row, { id, email }: { id: string; email: string }) {
  const kind = (value: any): unknown =>
    Array.isArray(value)
      ? value.slice(0, 1).map(kind)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, kind(member)]))
        : value === null
          ? 'null'
          : typeof value
  const who = (text: string) => (text === id ? 'the identity' : text === email ? 'the email' : `${text.length} letters`)
  return { type, version, config: kind(config), identifiers: identifiers.map(who) }
}

describe('security keys that are the only factor', () => {
  const scope = closingScope()
  let server: TestServer
  before(async () => {
    server = await factorServer(scope, { selfservice: { methods: { webauthn: { config: { passwordless: true } } } } })
  })
  after(() => scope.close())

  test('a key of a row that Kratos wrote signs in without a password, one that was a second factor does not', async () => {
    const keys = await keysInHand()
    const { mo, wanda } = FACTORS.identities
    await server.db.query(PASSWORDLESS, [mo!.id])
    const browser = new Client(server)
    const { submit, reread } = await beginInBrowser(browser, '/self-service/login/browser')
    const asked = await submit({ method: 'webauthn', identifier: mo!.email })
    assert.equal(asked.status, 422, asked.text)
    const webauthn_login = await keys.sign('mo-key', shownIn(await reread(), 'webauthn_login_trigger'))
    const done = await submit({ method: 'webauthn', identifier: mo!.email, webauthn_login })
    assert.equal(done.status, 422, 'mo has an app besides')
    assert.match(done.body.redirect_browser_to, /aal=aal2/)
    const other = await beginInBrowser(new Client(server), '/self-service/login/browser')
    const refused = await other.submit({ method: 'webauthn', identifier: wanda!.email })
    assert.deepEqual([refused.status, messageIds(refused)], [400, [4000015]])
  })
})

describe('a row of the form of 2022', () => {
  const scope = closingScope()
  after(() => scope.close())

  test('is whole after a change by an operator: of the new version, with the handle that it stood for', async () => {
    const server = await factorServer(scope)
    const { id, email, admin_get } = FACTORS.identities.olga!
    const json = [{ op: 'add', path: '/metadata_admin', value: { seen: true } }]
    const changed = await new Client(server).send('PATCH', `${server.adminUrl}/admin/identities/${id}`, { json })
    assert.equal(changed.status, 200)
    const { config } = admin_get.webauthn!
    const [row] = await server.db.query<Row>(ROWS, [id])
    assert.deepEqual(row, { type: 'webauthn', version: 1, config, identifiers: [email] })
  })
})

describe('factors that are set up here', () => {
  const scope = closingScope()
  let server: TestServer
  before(async () => {
    server = await factorServer(scope)
  })
  after(() => scope.close())

  test('are rows of the form that Kratos writes, and hold what their owner was given', async () => {
    const keys = await keysInHand()
    const { una, tina, mo, wanda, pat } = FACTORS.identities
    const recorded = async ({ id, email }: LivePerson, type: string) =>
      formOf((await server.db.query<Row>(ROWS, [id])).find((row) => row.type === type)!, { id, email })
    const expected = {
      lookup_secret: await recorded(mo!, 'lookup_secret'),
      passkey: await recorded(pat!, 'passkey'),
      totp: await recorded(tina!, 'totp'),
      webauthn: await recorded(wanda!, 'webauthn'),
    }
    const browser = new Client(server)
    await signIn(browser, personOf(una!))
    const settings = () => beginInBrowser(browser, '/self-service/settings/browser')
    const saved = async (submitted: Promise<{ status: number; text: string }>) => {
      const { status, text } = await submitted
      assert.equal(status, 200, text)
    }
    const app = await settings()
    const secret = shownIn(app.flow, 'totp_secret_key')
    await saved(app.submit({ method: 'totp', totp_code: codeAt(NOW, secret) }))
    const codes = await settings()
    await saved(codes.submit({ lookup_secret_regenerate: true }))
    await saved(codes.submit({ lookup_secret_confirm: true }))
    const key = await settings()
    const made = await keys.make('own', shownIn(key.flow, 'webauthn_register_trigger'))
    await saved(key.submit({ webauthn_register: made.response, webauthn_register_displayname: 'own' }))
    const phone = await settings()
    const passkey = await keys.make('phone', shownIn(phone.flow, 'passkey_create_data'))
    await saved(phone.submit({ passkey_settings_register: passkey.response }))

    const rows = await server.db.query<Row>(ROWS, [una!.id])
    assert.deepEqual(Object.fromEntries(rows.map((row) => [row.type, formOf(row, una!)])), expected)
    const config = Object.fromEntries(rows.map((row) => [row.type, row.config]))
    assert.equal(new URL(config.totp.totp_url).searchParams.get('secret'), secret)
    assert.deepEqual(
      [config.webauthn, config.passkey].map(({ credentials: [{ id, public_key }] }) => [id, public_key]),
      [made, passkey].map(({ idB64, publicKeyB64 }) => [idB64, publicKeyB64]),
    )
    const passkeyRow = rows.find(({ type }) => type === 'passkey')!
    assert.deepEqual(passkeyRow.identifiers, [passkey.userHandleText], 'by which the key names its owner')
    for (const code of config.lookup_secret.recovery_codes.slice(0, 2)) {
      const own = await halfSignedIn(server, personOf(una!))
      assert.equal((await own.submit({ method: 'lookup_secret', lookup_secret: code.code })).status, 200)
    }
  })
})
