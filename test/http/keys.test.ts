import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import * as authenticator from '../fixtures/wire-actors/webauthn.mjs'
import { Client, createPerson, type Person, signIn } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { beginInBrowser, FACTORS, messageIds, shownIn } from '../helpers/live-factors.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const ORIGIN = 'https://login.example.com'
const rp = { id: 'login.example.com', display_name: 'Example', origins: [ORIGIN] }
const schema = Buffer.from(JSON.stringify(FACTORS.config.identity.schemas[0]!.json)).toString('base64')

describe('keys', () => {
  const scope = closingScope()
  let server: TestServer
  /** runs while a sign-in by key waits for its web hook */
  let meanwhile = async () => {}
  before(async () => {
    const receiver = createServer((req, res) => {
      req.resume().on('end', () => meanwhile().then(() => res.writeHead(204).end()))
    })
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    scope.after(() => new Promise((resolve) => receiver.close(resolve)))
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
    const hook = { hook: 'web_hook', config: { url, method: 'POST', can_interrupt: true } }
    server = await testServer(scope, {
      config: {
        identity: { schemas: [{ id: 'default', url: `base64://${schema}` }] },
        selfservice: {
          flows: { login: { after: { passkey: { hooks: [hook] } } } },
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
    const json = { passkey_settings_register: await make(shownIn(form.flow, 'passkey_create_data'), own) }
    const reply = await form.submit(json)
    assert.equal(reply.status, 200, reply.text)
  }
  async function addSecurityKey(own: Owner): Promise<void> {
    const form = await settings(own)
    const webauthn_register = await make(shownIn(form.flow, 'webauthn_register_trigger'), own)
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
      meanwhile = async () => void (await new Client(server).send('DELETE', url))
      const reply = await form.submit({ passkey_login })
      meanwhile = async () => {}
      assert.deepEqual([reply.status, messageIds(reply)], [400, [4000015]], `counter ${counter}`)
      assert.deepEqual(await sessionsOf(own), [])
    }
  })
})
