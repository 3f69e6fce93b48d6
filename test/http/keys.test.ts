import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as authenticator from '../fixtures/wire-actors/webauthn.mjs'
import { Client, createPerson, type Person, signIn } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { type HookReceiver, hookReceiver } from '../helpers/hook-receiver.ts'
import { beginInBrowser, FACTORS, messageIds, shownIn } from '../helpers/live-factors.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const ORIGIN = 'https://login.example.com'
const rp = { id: 'login.example.com', display_name: 'Example', origins: [ORIGIN] }
const schema = Buffer.from(JSON.stringify(FACTORS.config.identity.schemas[0]!.json)).toString('base64')

describe('keys', () => {
  const scope = closingScope()
  let server: TestServer
  let receiver: HookReceiver
  before(async () => {
    receiver = await hookReceiver(scope)
    server = await testServer(scope, {
      config: {
        identity: { schemas: [{ id: 'default', url: `base64://${schema}` }] },
        selfservice: {
          flows: {
            login: { after: { passkey: { hooks: [receiver.hook] } } },
            settings: { after: { passkey: { hooks: [receiver.hook] }, webauthn: { hooks: [receiver.hook] } } },
          },
          methods: {
            webauthn: { enabled: true, config: { passwordless: false, rp } },
            passkey: { enabled: true, config: { rp } },
          },
        },
      },
    })
  })
  after(() => scope.close())

  interface Owner {
    person: Person
    browser: Client
    /** the device with the person's keys */
    state: object
  }

  async function owner(): Promise<Owner> {
    const person = await createPerson(server)
    const browser = new Client(server)
    await signIn(browser, person)
    return { person, browser, state: {} }
  }

  const settings = ({ browser }: Owner) => beginInBrowser(browser, '/self-service/settings/browser')
  const make = async (options: string, { state }: Owner, how: object = {}) =>
    (await authenticator.create({ options, origin: ORIGIN, ...how }, { state })).response
  const sign = async (options: string, { state }: Owner, how: object = {}) =>
    (await authenticator.get({ options, origin: ORIGIN, ...how }, { state })).response

  async function addPasskey(own: Owner): Promise<void> {
    const form = await settings(own)
    const json = {
      passkey_settings_register: await make(shownIn(form.flow, 'passkey_create_data'), own, { key: 'passkey' }),
    }
    const reply = await form.submit(json)
    assert.equal(reply.status, 200, reply.text)
  }
  async function addSecurityKey(own: Owner): Promise<void> {
    const form = await settings(own)
    const webauthn_register = await make(shownIn(form.flow, 'webauthn_register_trigger'), own, { key: 'key' })
    const reply = await form.submit({ webauthn_register, webauthn_register_displayname: 'blue' })
    assert.equal(reply.status, 200, reply.text)
  }
  const passkeyForm = () => beginInBrowser(new Client(server), '/self-service/login/browser')
  const stepUp = ({ browser }: Owner) => beginInBrowser(browser, '/self-service/login/browser?aal=aal2&refresh=true')
  const sessionsOf = async ({ person }: Owner) =>
    (await new Client(server).get(`${server.adminUrl}/admin/identities/${person.identityId}/sessions?active=true`)).body

  test('one that is removed while its sign-in waits lets nobody in', async () => {
    for (const counter of [0, 5]) {
      const own = await owner()
      await addPasskey(own)
      const form = await passkeyForm()
      const passkey_login = await sign(shownIn(form.flow, 'passkey_challenge'), own, { counter })
      const url = `${server.adminUrl}/admin/identities/${own.person.identityId}/second-factors?passkeys=true`
      receiver.meanwhile = async () => void (await new Client(server).send('DELETE', url))
      const reply = await form.submit({ passkey_login })
      receiver.meanwhile = async () => {}
      assert.deepEqual([reply.status, messageIds(reply)], [400, [4000015]], `counter ${counter}`)
      assert.deepEqual(await sessionsOf(own), [])
    }
  })
  test('one that is set up while another change is made takes nothing back', async () => {
    const own = await owner()
    const [first, second] = [await settings(own), await settings(own)]
    const answerOf = ({ flow }: { flow: any }, key: string) => make(shownIn(flow, 'passkey_create_data'), own, { key })
    const answers = [await answerOf(first, 'first'), await answerOf(second, 'second')]
    const once = (work: () => Promise<{ status: number }>) => {
      receiver.meanwhile = async () => {
        receiver.meanwhile = async () => {}
        assert.equal((await work()).status, 200)
      }
    }
    once(() => second.submit({ passkey_settings_register: answers[1] }))
    assert.equal((await first.submit({ passkey_settings_register: answers[0] })).status, 200)
    for (const key of ['first', 'second']) {
      const form = await passkeyForm()
      const passkey_login = await sign(shownIn(form.flow, 'passkey_challenge'), own, { key })
      assert.equal((await form.submit({ passkey_login })).status, 200, key)
    }

    const url = `${server.adminUrl}/admin/identities/${own.person.identityId}`
    const email = `new-${own.person.email}`
    const form = await settings(own)
    const webauthn_register = await make(shownIn(form.flow, 'webauthn_register_trigger'), own, { key: 'key' })
    once(() => new Client(server).send('PATCH', url, { json: [{ op: 'add', path: '/traits/email', value: email }] }))
    const added = await form.submit({ webauthn_register, webauthn_register_displayname: 'blue' })
    assert.equal(added.status, 200, added.text)
    const { credentials } = (await new Client(server).get(url)).body
    assert.deepEqual(credentials.webauthn.identifiers, [email])
  })
  test('an answer counts for the form that asked for it, once, and for its owner', async () => {
    const [own, other] = [await owner(), await owner()]
    for (const one of [own, other]) {
      await addPasskey(one)
      await addSecurityKey(one)
    }
    const passkeyOf = (form: { flow: any }, one = own) =>
      sign(shownIn(form.flow, 'passkey_challenge'), one, { key: 'passkey' })
    const keyOf = (form: { flow: any }, one = own) =>
      sign(shownIn(form.flow, 'webauthn_login_trigger'), one, { key: 'key' })
    const [first, second] = [await passkeyForm(), await passkeyForm()]
    const passkey_login = await passkeyOf(first)
    assert.equal((await second.submit({ passkey_login })).status, 400, 'a passkey on another form')
    assert.equal((await first.submit({ passkey_login })).status, 422, 'and now the second factor')
    assert.equal((await first.submit({ passkey_login })).status, 400, 'again')

    const step = { method: 'webauthn', identifier: own.person.email }
    const [mine, theirs, later] = [await stepUp(own), await stepUp(other), await stepUp(own)]
    const webauthn_login = await keyOf(mine)
    const refusals = [
      await theirs.submit({ ...step, webauthn_login }),
      await theirs.submit({ ...step, webauthn_login: await keyOf(theirs, own).catch(() => webauthn_login) }),
      await later.submit({ ...step, webauthn_login }),
      await later.submit({
        ...step,
        webauthn_login: await sign(shownIn(later.flow, 'webauthn_login_trigger'), own, { key: 'passkey' }),
      }),
    ]
    assert.deepEqual(
      refusals.map(({ status }) => status),
      [400, 400, 400, 400],
    )
    assert.equal((await mine.submit({ ...step, webauthn_login })).status, 200)
    assert.equal((await mine.submit({ ...step, webauthn_login })).status, 400, 'again')

    const [here, there] = [await settings(own), await settings(other)]
    const passkey_settings_register = await make(shownIn(here.flow, 'passkey_create_data'), own, { key: 'new' })
    assert.equal((await there.submit({ passkey_settings_register })).status, 400, "in somebody else's form")
    assert.equal((await here.submit({ passkey_settings_register })).status, 200)
    assert.equal((await here.submit({ passkey_settings_register })).status, 400, 'again')
    const twice = await settings(other)
    const copied = {
      options: shownIn(twice.flow, 'passkey_create_data'),
      origin: ORIGIN,
      key: 'copy',
      id: JSON.parse(passkey_settings_register).id,
    }
    const reply = await twice.submit({
      passkey_settings_register: (await authenticator.create(copied, { state: {} })).response,
    })
    assert.equal(reply.status, 200, 'ids are chosen by the device')
  })

  /** Base64url of bytes. */
  const b64 = (bytes: Buffer) => bytes.toString('base64url')
  /** CBOR that says that it is long, is deep, never ends, or is none. */
  const BAD_CBOR = [0x81, 0xa1, 0xc1, 0x5f].map((byte) => b64(Buffer.alloc(30_000, byte)))
  for (const major of [2, 3, 4, 5])
    BAD_CBOR.push(b64(Buffer.from([(major << 5) | 27, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0])))
  const BAD_TEXT = ['[', '{"a":'].map((open) => b64(Buffer.from(open.repeat(6_000))))
  const WRONG_TYPES = [null, 5, [], {}, '*']

  /** What is read as absent, which is allowed there. */
  const ABSENT = ['rawId null', 'userHandle null', 'userHandle 5', 'userHandle []', 'userHandle {}']

  test('whatever answer is made up is a form again: neither an error of the server nor an endless wait', async () => {
    const own = await owner()
    await addPasskey(own)
    await addSecurityKey(own)
    const step = { method: 'webauthn', identifier: own.person.email }
    const newKey = { webauthn_register_displayname: 'red' }
    for (const [input, open, wrap, answer] of [
      [
        'webauthn_register',
        () => settings(own),
        newKey,
        (flow: any) => make(shownIn(flow, 'webauthn_register_trigger'), own, { key: 'x' }),
      ],
      [
        'passkey_settings_register',
        () => settings(own),
        {},
        (flow: any) => make(shownIn(flow, 'passkey_create_data'), own, { key: 'x' }),
      ],
      [
        'webauthn_login',
        () => stepUp(own),
        step,
        (flow: any) => sign(shownIn(flow, 'webauthn_login_trigger'), own, { key: 'key' }),
      ],
      [
        'passkey_login',
        passkeyForm,
        {},
        (flow: any) => sign(shownIn(flow, 'passkey_challenge'), own, { key: 'passkey' }),
      ],
    ] as const) {
      const form = await open()
      const good = JSON.parse(await answer(form.flow))
      const bad = [...BAD_TEXT, ...BAD_CBOR, ...WRONG_TYPES.map((value) => JSON.stringify(value))]
      const put = (into: object, name: string, value: unknown) =>
        ABSENT.includes(`${name} ${JSON.stringify(value)}`) ? into : { ...into, [name]: value }
      for (const name of Object.keys(good)) {
        for (const value of WRONG_TYPES)
          if (put(good, name, value) !== good) bad.push(JSON.stringify(put(good, name, value)))
      }
      for (const name of Object.keys(good.response)) {
        for (const value of [...WRONG_TYPES, ...BAD_CBOR, ...BAD_TEXT]) {
          const response = put(good.response, name, value)
          if (response !== good.response) bad.push(JSON.stringify({ ...good, response }))
        }
      }
      for (const text of bad) {
        const reply = await form.submit({ ...wrap, [input]: text })
        assert.equal(reply.status, 400, `${input}: ${reply.status} ${text.slice(0, 200)}`)
      }
    }
  })
  test('a key that was made for another domain is not offered, and the form says why', async () => {
    const own = await owner()
    await addPasskey(own)
    await addSecurityKey(own)
    const moved = {
      ...rp,
      id: 'new.example',
      origins: ['https://new.example', 'HTTPS://other.example', 'android:apk-key-hash:x'],
    }
    const methods = (party: object) => ({
      webauthn: { enabled: true, config: { passwordless: false, rp: party } },
      passkey: { enabled: true, config: { rp: party } },
    })
    const names = ({ flow }: { flow: any }) => flow.ui.nodes.map(({ attributes }: any) => attributes.name)
    const refresh = () => beginInBrowser(own.browser, '/self-service/login/browser?refresh=true')
    assert.ok(names(await stepUp(own)).includes('webauthn_login_trigger'))
    await server.reconfigure({ selfservice: { methods: methods(moved) } })
    for (const form of [await stepUp(own), await refresh()]) {
      assert.deepEqual(
        names(form).filter((name: string) => /trigger/.test(name)),
        [],
      )
      const texts = form.flow.ui.messages.map(({ text }: any) => text).join(' ')
      assert.match(texts, /set up for login\.example\.com and do not work for new\.example/)
    }
    const { body } = await new Client(server).get('/.well-known/webauthn')
    assert.deepEqual(body, { origins: ['https://new.example', 'HTTPS://other.example'] })
    await server.reconfigure({
      selfservice: { methods: { webauthn: { enabled: false }, passkey: { enabled: false } } },
    })
    assert.equal((await new Client(server).get('/.well-known/webauthn')).status, 404)
    await server.reconfigure({ selfservice: { methods: methods(rp) } })
    assert.ok(names(await stepUp(own)).includes('webauthn_login_trigger'))
  })

  test('a key of Kratos is offered, since nothing says what it was made for', async () => {
    const own = await owner()
    await addSecurityKey(own)
    const text = `delete from lethe.key_parties where identity_id = '${own.person.identityId}'`
    await server.db.query({ name: '', text })
    assert.ok(shownIn((await stepUp(own)).flow, 'webauthn_login_trigger').includes('allowCredentials'))
  })
  test('a device that offers a removed passkey is told, and only of that one', async () => {
    const own = await owner()
    await addPasskey(own)
    const left = { ...own, state: {} }
    await addPasskey(left)
    await addSecurityKey({ ...own, state: {} })
    const login = async (device: Owner, how: object = {}) => {
      const form = await passkeyForm()
      const passkey_login = await sign(shownIn(form.flow, 'passkey_challenge'), device, { key: 'passkey', ...how })
      const reply = await form.submit({ passkey_login })
      return { reply, id: JSON.parse(passkey_login).id, told: toldIn(reply.body, 'passkey_challenge') }
    }
    const toldIn = ({ ui }: any, name: string) => ui && JSON.parse(shownIn({ ui }, name)).unknownCredentials

    const wrong = await login(own, { userHandle: Buffer.from('x'.repeat(64)).toString('base64url') })
    assert.deepEqual(
      [wrong.reply.status, messageIds(wrong.reply), wrong.told],
      [400, [4000015], undefined],
      'wrong handle',
    )

    const form = await settings(own)
    const removed = await form.submit({ passkey_remove: Buffer.from(wrong.id, 'base64url').toString('hex') })
    const gone = [{ rpId: rp.id, credentialId: wrong.id }]
    assert.equal(removed.status, 200)
    const again = await login(own)
    assert.deepEqual([again.reply.status, messageIds(again.reply), again.told], [400, [4000008], gone])
    assert.equal((await login(left)).reply.status, 422, 'the other one is as good as before')

    const url = `${server.adminUrl}/admin/identities/${own.person.identityId}`
    assert.equal((await new Client(server).send('DELETE', url)).status, 204)
    const last = await login(left)
    assert.deepEqual([messageIds(last.reply), last.told], [[4000015], [{ rpId: rp.id, credentialId: last.id }]])
    const made = { ...own, state: {} }
    await authenticator.create(
      { options: shownIn((await settings(await owner())).flow, 'passkey_create_data'), origin: ORIGIN, key: 'passkey' },
      { state: made.state },
    )
    const never = await login(made)
    assert.deepEqual([messageIds(never.reply), never.told], [[4000015], undefined], 'a key that nobody ever had here')
  })
})
