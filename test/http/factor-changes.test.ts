import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import * as authenticator from '../fixtures/wire-actors/webauthn.mjs'
import { Client, createPerson, type Person, signIn, signInNative } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { stoppedClock } from '../helpers/identities.ts'
import { beginInBrowser, FACTORS, shownIn } from '../helpers/live-factors.ts'
import { messagesOf } from '../helpers/messages.ts'
import { CODES, codeAt, giveCodes, giveCredential, halfSignedIn, linkApp } from '../helpers/second-factor.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const ORIGIN = 'https://login.example.com'
const rp = { id: 'login.example.com', display_name: 'Example', origins: [ORIGIN] }
const schema = Buffer.from(JSON.stringify(FACTORS.config.identity.schemas[0]!.json)).toString('base64')
const CONFIG = {
  identity: { schemas: [{ id: 'default', url: `base64://${schema}` }] },
  selfservice: {
    methods: {
      totp: { enabled: true },
      lookup_secret: { enabled: true },
      webauthn: { enabled: true, config: { passwordless: false, rp } },
      passkey: { enabled: true, config: { rp } },
    },
  },
}
const NOBODY = '00000000-0000-4000-8000-000000000000'
const OTHER = 'another-Harbour-31'
const NOW = Date.parse('2026-11-27T12:00:00Z') / 1000

type Settings = Awaited<ReturnType<typeof beginInBrowser>>
const lastId = ({ flow }: Settings, name: string) =>
  flow.ui.nodes.findLast(({ attributes }: any) => attributes.name === name).attributes.value as string
const made = async (options: string) =>
  (await authenticator.create({ options, origin: ORIGIN }, { state: {} })).response

/** How each factor is set up and removed, on a form that was just opened. */
const CHANGES: Record<string, ((form: Settings) => Promise<object[]>)[]> = {
  totp: [
    async ({ flow }) => [{ method: 'totp', totp_code: codeAt(NOW, shownIn(flow, 'totp_secret_key')) }],
    async () => [{ totp_unlink: true }],
  ],
  lookup_secret: [
    async () => [{ lookup_secret_regenerate: true }, { lookup_secret_confirm: true }],
    async () => [{ lookup_secret_disable: true }],
  ],
  webauthn: [
    async ({ flow }) => [
      {
        webauthn_register: await made(shownIn(flow, 'webauthn_register_trigger')),
        webauthn_register_displayname: 'blue',
      },
    ],
    async (form) => [{ webauthn_remove: lastId(form, 'webauthn_remove') }],
  ],
  passkey: [
    async ({ flow }) => [{ passkey_settings_register: await made(shownIn(flow, 'passkey_create_data')) }],
    async (form) => [{ passkey_remove: lastId(form, 'passkey_remove') }],
  ],
}

describe('a change of factors', () => {
  const scope = closingScope()
  const clock = stoppedClock(new Date(NOW * 1000).toISOString())
  let server: TestServer
  let other: TestServer
  before(async () => {
    server = await testServer(scope, { clock, config: CONFIG })
    other = await testServer(scope, { clock, config: CONFIG, db: server.db })
  })
  after(() => scope.close())

  const active = async (token: string, on = server) =>
    (await new Client(on).get('/sessions/whoami', { 'x-session-token': token })).status !== 401
  const causesOf = async ({ identityId }: Person) =>
    (
      await server.db.query<{ cause: string }>({
        name: '',
        text: `select cause from lethe.events where identity_id = '${identityId}' and type = 'session.ended'`,
      })
    ).map(({ cause }) => cause)
  const identityOf = async ({ identityId }: Person) =>
    (
      await server.db.query<{ aal: string }>({
        name: '',
        text: `select available_aal as aal from identities where id = '${identityId}'`,
      })
    )[0]!.aal
  async function change(browser: Client, how: (form: Settings) => Promise<object[]>) {
    const form = await beginInBrowser(browser, '/self-service/settings/browser')
    for (const json of await how(form)) {
      const reply = await form.submit(json)
      assert.equal(reply.status, 200, reply.text)
    }
  }

  const endOn = (change: string) => server.reconfigure({ lethe: { sessions: { end_on_factor_change: change } } })
  for (const [factor, [setUp, remove]] of Object.entries(CHANGES)) {
    for (const [ending, ended] of Object.entries({ none: 0, others: 1, all: 2 })) {
      for (const before of [[], [setUp!]]) {
        test(`${factor} ${before.length === 0 ? 'is set up' : 'is removed'}, end_on_factor_change: ${ending}`, async () => {
          const person = await createPerson(server)
          const browser = new Client(server)
          await signIn(browser, person)
          await endOn('none')
          for (const how of before) await change(browser, how)
          const app = await signInNative(server, person)
          await endOn(ending)
          await change(browser, before.length === 0 ? setUp! : remove!)
          const own = (await browser.get('/sessions/whoami')).status !== 401
          assert.deepEqual([own, await active(app.token, other)], [ended < 2, ended < 1])
          assert.deepEqual(await causesOf(person), Array(ended).fill('credentials_changed'))
        })
      }
    }
  }

  test('after the last second factor is removed, sessions keep their level and nobody is asked for another', async () => {
    await endOn('none')
    const person = await createPerson(server)
    const browser = new Client(server)
    await signIn(browser, person)
    const [setUp, remove] = CHANGES.totp!
    await change(browser, setUp!)
    const half = await halfSignedIn(server, person)
    assert.deepEqual([await identityOf(person), await half.whoami()], ['aal2', 403])
    await change(browser, remove!)
    assert.deepEqual([await identityOf(person), await half.whoami()], ['aal1', 200])
    const session = (await browser.get('/sessions/whoami')).body
    assert.equal(session.authenticator_assurance_level, 'aal2')
    const late = await half.submit({ method: 'totp', totp_code: codeAt(NOW) })
    assert.deepEqual([late.status, late.body.ui.messages[0].id], [400, 4000011])
    await giveCodes(server, person)
    assert.deepEqual([await identityOf(person), await half.whoami()], ['aal2', 403], 'a new one is asked for')
    assert.equal((await browser.get('/sessions/whoami')).status, 200, 'what a session has shown counts')
  })

  for (const [who, take] of [
    ['an operator', (id: string) => ['DELETE', `/admin/identities/${id}/credentials/totp`, undefined] as const],
    [
      'an operator who patches',
      (id: string) => ['PATCH', `/admin/identities/${id}`, [{ op: 'remove', path: '/credentials/totp' }]] as const,
    ],
  ] as const) {
    test(`removed by ${who}, the factor is not asked for any more`, async () => {
      const person = await createPerson(server)
      await linkApp(server, person)
      const half = await halfSignedIn(server, person)
      assert.equal(await half.whoami(), 403)
      const [method, path, json] = take(person.identityId)
      const done = await new Client(server).send(method, server.adminUrl + path, json ? { json } : {})
      assert.ok(done.status < 300, done.text)
      assert.deepEqual([await identityOf(person), await half.whoami()], ['aal1', 200])
    })
  }

  describe('an operator resets the factors of a person whose device is lost', () => {
    const resetUrl = ({ identityId }: Person, query = '') =>
      `${server.adminUrl}/admin/identities/${identityId}/second-factors${query}`
    const reset = (url: string) => new Client(server).send('DELETE', url)

    /** A person with every factor, signed in by a browser and half signed in by an app. */
    async function equipped() {
      await server.reconfigure({ lethe: { sessions: { end_on_factor_change: 'none' } } })
      const person = await createPerson(server)
      const browser = new Client(server)
      await signIn(browser, person)
      for (const factor of ['totp', 'lookup_secret', 'webauthn', 'passkey']) await change(browser, CHANGES[factor]![0]!)
      return { person, browser, half: await halfSignedIn(server, person) }
    }
    const factorsOf = async ({ identityId }: Person) => {
      const { body } = await new Client(server).get(`${server.adminUrl}/admin/identities/${identityId}`)
      return Object.keys(body.credentials).sort()
    }

    test('one call: no factor is asked for, all sessions have ended, the passkey stays', async () => {
      const { person, browser, half } = await equipped()
      assert.equal(await half.whoami(), 403)
      const reply = await reset(resetUrl(person))
      assert.deepEqual([reply.status, reply.body.removed.sort()], [200, ['lookup_secret', 'totp', 'webauthn']])
      assert.equal(reply.body.ended_sessions.length, 2)
      assert.deepEqual([(await browser.get('/sessions/whoami')).status, await half.whoami()], [401, 401])
      assert.deepEqual(await causesOf(person), ['credentials_changed', 'credentials_changed'])
      assert.equal(await identityOf(person), 'aal1')
      const fresh = await halfSignedIn(server, person)
      assert.equal(await fresh.whoami(), 200)
      assert.ok((await factorsOf(person)).includes('passkey'))
      const again = (await reset(resetUrl(person))).body
      assert.deepEqual(again, { removed: [], ended_sessions: [fresh.sessionId] })
    })

    test('keys that are enough to sign in with go when they are asked for', async () => {
      const { person } = await equipped()
      const reply = await reset(resetUrl(person, '?passkeys=true'))
      assert.deepEqual(reply.body.removed.sort(), ['lookup_secret', 'passkey', 'totp', 'webauthn'])
      const again = await (await halfSignedIn(server, person)).whoami()
      assert.deepEqual([again, (await factorsOf(person)).includes('passkey')], [200, false])
    })

    test('asked for in other words, or for nobody, it does nothing', async () => {
      const { person, half } = await equipped()
      assert.equal((await reset(resetUrl(person, '?passkeys=yes'))).status, 400)
      assert.equal((await reset(resetUrl({ ...person, identityId: NOBODY }))).status, 404)
      assert.equal((await reset(resetUrl({ ...person, identityId: 'ida' }))).status, 404)
      assert.equal(await half.whoami(), 403)
    })
  })

  describe('told to the owner, at every address that was verified before', () => {
    const KINDS = ['address', 'password', 'factor', 'provider']
    const notify = (kinds: string[]) => server.reconfigure({ lethe: { identity: { notify: kinds } } })
    after(() =>
      server.reconfigure({ lethe: { identity: { notify: [] }, limits: { messages: { per_recipient: 10 } } } }),
    )
    const told = async (email: string) =>
      (await messagesOf(server, email)).flatMap(({ type, data }) =>
        type === 'account_changed_valid' ? [data.changes] : [],
      )
    async function known(isVerified = true): Promise<Person> {
      const person = await createPerson(server)
      await server.db.query({
        name: '',
        text: `update identity_verifiable_addresses set verified = ${isVerified} where identity_id = '${person.identityId}'`,
      })
      return person
    }
    async function settings(person: Person, json: object) {
      const browser = new Client(server)
      await signIn(browser, person)
      const { submit } = await beginInBrowser(browser, '/self-service/settings/browser')
      const { status, text } = await submit(json)
      assert.equal(status, 200, text)
    }
    const operator = async ({ identityId }: Person, method: string, path: string, json?: unknown) => {
      const url = `${server.adminUrl}/admin/identities/${identityId}${path}`
      const { status, text } = await new Client(server).send(method, url, json === undefined ? {} : { json })
      assert.ok(status < 300, text)
    }
    const withCredentials = (person: Person, credentials: object) =>
      operator(person, 'PUT', '', {
        schema_id: 'default',
        state: 'active',
        traits: { email: person.email },
        credentials,
      })
    const elsewhere = () => `elsewhere-${randomUUID()}@example.com`

    for (const [factor, [setUp, remove]] of Object.entries(CHANGES)) {
      test(`${factor}, set up and removed`, async () => {
        await notify(KINDS)
        const person = await known()
        const browser = new Client(server)
        await signIn(browser, person)
        await change(browser, setUp!)
        await change(browser, remove!)
        assert.deepEqual(await told(person.email), [['factor'], ['factor']])
      })
    }

    const WAYS: [string, string, (person: Person) => Promise<unknown>][] = [
      ['password', 'in the settings', (person) => settings(person, { method: 'password', password: OTHER })],
      [
        'address',
        'in the settings',
        (person) => settings(person, { method: 'profile', traits: { email: elsewhere() } }),
      ],
      [
        'password',
        'by an operator',
        (person) => withCredentials(person, { password: { config: { password: OTHER } } }),
      ],
      [
        'address',
        'by a patch',
        (person) => operator(person, 'PATCH', '', [{ op: 'replace', path: '/traits/email', value: elsewhere() }]),
      ],
      [
        'provider',
        'by an operator',
        (person) =>
          withCredentials(person, { oidc: { config: { providers: [{ provider: 'one', subject: randomUUID() }] } } }),
      ],
    ]
    for (const [kind, where, make] of WAYS) {
      test(`the ${kind}, ${where}`, async () => {
        const person = await known()
        await notify(KINDS)
        await make(person)
        assert.deepEqual(await told(person.email), [[kind]])
      })
      test(`not the ${kind}, ${where}, unless it is asked for and the address was verified`, async () => {
        await notify(KINDS.filter((one) => one !== kind))
        const quiet = await known()
        await make(quiet)
        await notify(KINDS)
        const unproven = await known(false)
        await make(unproven)
        assert.deepEqual([await told(quiet.email), await told(unproven.email)], [[], []])
      })
    }

    test('nothing about what is as before, or is used', async () => {
      await notify(KINDS)
      const person = await known()
      await operator(person, 'PATCH', '', [{ op: 'add', path: '/metadata_public', value: { a: 1 } }])
      await settings(person, { method: 'profile', traits: { email: person.email } })
      assert.deepEqual(await told(person.email), [])
    })

    test('whatever else was sent to the address, up to the limit, and no change fails for it', async () => {
      await notify(KINDS)
      const person = await known()
      const limits = { messages: { per_recipient: 2, window: '10m' } }
      await server.reconfigure({ lethe: { limits, identity: { notify: KINDS } } })
      await operator(person, 'PATCH', '', [{ op: 'add', path: '/metadata_public', value: 1 }])
      for (let i = 0; i < 4; i++) await withCredentials(person, { password: { config: { password: `${OTHER}${i}` } } })
      assert.equal((await told(person.email)).length, 2)
    })
  })

  describe('on two nodes', () => {
    const half = (person: Person) => Promise.all([server, other].map((node) => halfSignedIn(node, person)))
    const statuses = (replies: { status: number }[]) => replies.map(({ status }) => status).sort()

    test('one code of an app, or one backup code, at once on both: it passes once', async () => {
      for (const [give, json] of [
        [linkApp, { method: 'totp', totp_code: codeAt(NOW) }],
        [giveCodes, { method: 'lookup_secret', lookup_secret: CODES[0] }],
      ] as const) {
        const person = await createPerson(server)
        await give(server, person)
        const own = await half(person)
        assert.deepEqual(statuses(await Promise.all(own.map((one) => one.submit(json)))), [200, 400])
        const [later] = await half(person)
        assert.equal((await later!.submit(json)).status, 400)
      }
    })

    test('guesses count for the account on both, whatever the flow, and leave another way open', async () => {
      const person = await createPerson(server)
      await linkApp(server, person)
      await giveCodes(server, person)
      const own = await half(person)
      const wrong = { method: 'totp', totp_code: codeAt(NOW + 86_400) }
      let guesses = 0
      while (guesses < 40 && (await own[guesses % 2]!.submit(wrong)).status === 400) guesses += 1
      assert.ok(guesses > 0 && guesses < 20, `${guesses} guesses`)
      const right = { method: 'totp', totp_code: codeAt(NOW) }
      assert.deepEqual(statuses(await Promise.all(own.map((one) => one.submit(right)))), [429, 429])
      const used = await own[1]!.submit({ method: 'lookup_secret', lookup_secret: CODES[0] })
      assert.equal(used.status, 200, used.text)
    })
  })

  test('a right code counts for nothing once others, judged at the same time, have used up the guesses', async () => {
    const { guesses } = server.deps
    const { assertAllowed } = guesses
    for (const [give, right, wrong] of [
      [linkApp, { method: 'totp', totp_code: codeAt(NOW) }, { method: 'totp', totp_code: codeAt(NOW + 86_400) }],
      [
        giveCodes,
        { method: 'lookup_secret', lookup_secret: CODES[0] },
        { method: 'lookup_secret', lookup_secret: 'x' },
      ],
    ] as const) {
      const person = await createPerson(server)
      await give(server, person)
      const [own, attacker] = [await halfSignedIn(server, person), await halfSignedIn(other, person)]
      guesses.assertAllowed = async (target) => {
        guesses.assertAllowed = assertAllowed
        await assertAllowed(target)
        for (let i = 0; i < 40 && (await attacker.submit(wrong)).status === 400; i++);
      }
      assert.equal((await own.submit(right)).status, 429, right.method)
    }
  })

  test('the settings tell how many backup codes are left', async () => {
    const person = await createPerson(server)
    await giveCodes(server, person)
    const own = await halfSignedIn(server, person)
    assert.equal((await own.submit({ method: 'lookup_secret', lookup_secret: CODES[0] })).status, 200)
    const { body } = await own.client.get('/self-service/settings/api', own.headers)
    const reveal = body.ui.nodes.find(({ attributes }: any) => attributes.name === 'lookup_secret_reveal')
    assert.deepEqual(reveal.meta.label.context, { remaining: CODES.length - 1 })
  })

  test('a factor that was removed in the database is not asked for after the next sign-in', async () => {
    const person = await createPerson(server)
    await linkApp(server, person)
    await server.db.query({
      name: '',
      text: `delete from identity_credentials where identity_id = '${person.identityId}' and config -> 'totp_url' is not null`,
    })
    assert.equal(await identityOf(person), 'aal2')
    assert.equal(await (await halfSignedIn(server, person)).whoami(), 200)
    assert.equal(await identityOf(person), 'aal1')
  })

  for (const [copied, backedUp, status] of [
    ['accept', false, 200],
    ['refuse', false, 400],
    ['refuse', true, 200],
  ] as const) {
    test(`a key that ${backedUp ? 'can' : 'cannot'} be backed up counts back, lethe.keys.copied: ${copied}`, async () => {
      await server.reconfigure({ lethe: { keys: { copied } } })
      const person = await createPerson(server)
      const state = {}
      const flags = { origin: ORIGIN, be: backedUp, bs: backedUp }
      const browser = new Client(server)
      await signIn(browser, person)
      const form = await beginInBrowser(browser, '/self-service/settings/browser')
      const options = shownIn(form.flow, 'webauthn_register_trigger')
      const { response } = await authenticator.create({ options, ...flags, counter: 7 }, { state })
      const added = await form.submit({ webauthn_register: response, webauthn_register_displayname: 'blue' })
      assert.equal(added.status, 200, added.text)
      const use = async (counter: number) => {
        const step = await beginInBrowser(browser, '/self-service/login/browser?aal=aal2&refresh=true')
        const options = shownIn(step.flow, 'webauthn_login_trigger')
        const answer = await authenticator.get({ options, ...flags, counter }, { state })
        return step.submit({ method: 'webauthn', identifier: person.email, webauthn_login: answer.response })
      }
      assert.equal((await use(3)).status, status)
      assert.equal((await use(8)).status, 200)
      const url = `${server.adminUrl}/admin/identities/${person.identityId}?include_credential=webauthn`
      const { credentials } = (await new Client(server).get(url)).body.credentials.webauthn.config
      const { sign_count, clone_warning } = credentials[0].authenticator
      assert.deepEqual([sign_count, clone_warning], [8, status === 200])
    })
  }

  test('an app without a secret is none', async () => {
    const person = await createPerson(server)
    await giveCredential(server, person, 'totp', { totp_url: 'otpauth://totp/a?secret=' })
    const half = await halfSignedIn(server, person)
    const reply = await half.submit({ method: 'totp', totp_code: codeAt(NOW, '') })
    assert.notEqual(reply.status, 200)
  })
})
