import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { Client, PASSWORD, type Reply } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { randomAddress } from '../helpers/mailbox.ts'
import { lastCode } from '../helpers/messages.ts'
import { codeAt } from '../helpers/second-factor.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const KINDS = ['login', 'registration', 'settings', 'recovery', 'verification'] as const
type Kind = (typeof KINDS)[number]
const CLIENTS = ['browser', 'spa', 'api'] as const
type ClientType = (typeof CLIENTS)[number]
/** The methods of a kind that this file plays. Keys and providers: `browser/keys.test.ts`, `http/provider-callback.test.ts`. */
const METHODS: Partial<Record<Kind, readonly string[]>> = {
  login: ['password', 'code', 'totp', 'lookup_secret'],
  registration: ['password', 'code'],
  settings: ['profile', 'password', 'totp', 'lookup_secret'],
}

describe('each place of a web hook is called once, whatever client comes by', () => {
  const scope = closingScope()
  let server: TestServer
  let calls: string[] = []
  before(async () => {
    const receiver = createServer((req, res) => {
      calls.push(req.url!.slice(1))
      req.resume()
      res.writeHead(204).end()
    })
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    scope.after(async () => {
      receiver.closeAllConnections()
      await new Promise((resolve) => receiver.close(resolve))
    })
    const base = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
    const at = (place: string) => ({ hook: 'web_hook', config: { url: `${base}/${place}`, method: 'POST' } })
    const session = (kind: Kind) => (kind === 'registration' ? [{ hook: 'session' }] : [])
    const places = (kind: Kind) => {
      const methods = METHODS[kind] ?? []
      const lists = methods.map((one) => [
        one,
        { hooks: [at(`${kind} after ${one}`.replaceAll(' ', '/')), ...session(kind)] },
      ])
      const general = { hooks: [at(`${kind}/after`)] }
      return { before: { hooks: [at(`${kind}/before`)] }, after: { ...general, ...Object.fromEntries(lists) } }
    }
    server = await testServer(scope, {
      wireConfig: 'code-passwordless',
      config: {
        courier: { smtp: { connection_uri: 'smtp://127.0.0.1:1/' } },
        lethe: { limits: { messages: { per_recipient: 0, window: '30m' } } },
        selfservice: {
          methods: { totp: { enabled: true }, lookup_secret: { enabled: true } },
          flows: Object.fromEntries(KINDS.map((kind) => [kind, places(kind)])),
        },
      },
    })
  })
  after(() => scope.close())

  /** A person at one kind of client. */
  function at(type: ClientType) {
    let browser = new Client(server)
    /** Apps keep no cookies. */
    const client = () => (type === 'api' ? new Client(server) : browser)
    let token: string | undefined
    const accept = type === 'browser' ? 'text/html' : 'application/json'
    const headers = () => ({ accept, ...(token === undefined ? {} : { 'x-session-token': token }) })

    async function begin(kind: Kind, query = '') {
      const entry = `/self-service/${kind}/${type === 'api' ? 'api' : 'browser'}${query}`
      const begun = await client().get(entry, headers())
      if (type !== 'browser') return begun.body
      const id = new URL(begun.headers.get('location') ?? '', server.publicUrl).searchParams.get('flow')
      return (await client().get(`/self-service/${kind}/flows?id=${id}`)).body
    }

    async function submit(kind: Kind, flow: any, values: Record<string, string>): Promise<Reply> {
      const csrf = flow.ui.nodes.find((node: any) => node.attributes.name === 'csrf_token')?.attributes.value
      const form = { ...values, ...(type === 'api' ? {} : { csrf_token: csrf }) }
      const path = `/self-service/${kind}?flow=${flow.id}`
      const reply = await (type === 'browser'
        ? client().send('POST', path, { form, headers: headers() })
        : client().send('POST', path, { json: nested(form), headers: headers() }))
      token = reply.body?.session_token ?? token
      return reply
    }

    return {
      begin,
      submit,
      async again(kind: Kind, flow: any) {
        return (
          await client().get(`/self-service/${kind}/flows?id=${flow.id}`, { ...headers(), accept: 'application/json' })
        ).body
      },
      signOut() {
        token = undefined
        browser = new Client(server)
      },
    }
  }

  /** What one step calls. */
  async function called(work: () => Promise<Reply>, what: string): Promise<string[]> {
    calls = []
    const reply = await work()
    assert.ok(
      reply.status < 400 || reply.status === 422,
      `${what}: ${reply.status} ${JSON.stringify([reply.body?.ui?.messages, reply.body?.ui?.nodes?.flatMap((node: any) => node.messages), reply.body?.error])}`,
    )
    await server.deps.hooks.drain()
    return calls
  }

  for (const type of CLIENTS) {
    test(`of a ${type}`, async () => {
      const person = at(type)
      const email = randomAddress()
      const identifier = email

      async function expect(what: string, places: string[], work: () => Promise<Reply>) {
        assert.deepEqual(await called(work, what), places, what)
      }

      await expect('registration by password', ['registration/before', 'registration/after/password'], async () =>
        person.submit('registration', await person.begin('registration'), {
          method: 'password',
          'traits.email': email,
          password: PASSWORD,
        }),
      )
      await expect('a changed profile', ['settings/before', 'settings/after/profile'], async () =>
        person.submit('settings', await person.begin('settings'), {
          method: 'profile',
          'traits.email': email,
          'traits.name': 'Ida',
        }),
      )
      await expect('a changed password', ['settings/before', 'settings/after/password'], async () =>
        person.submit('settings', await person.begin('settings'), { method: 'password', password: `${PASSWORD}-2` }),
      )
      let secret = ''
      await expect('an app with codes', ['settings/before', 'settings/after/totp'], async () => {
        const flow = await person.begin('settings')
        secret = flow.ui.nodes.find((node: any) => node.attributes.id === 'totp_secret_key').attributes.text.text
        return person.submit('settings', flow, { method: 'totp', totp_code: codeAt(Date.now() / 1000, secret) })
      })
      let codes: string[] = []
      await expect('backup codes', ['settings/before', 'settings/after/lookup_secret'], async () => {
        const flow = await person.begin('settings')
        await person.submit('settings', flow, { method: 'lookup_secret', lookup_secret_regenerate: 'true' })
        const shown = await person.again('settings', flow)
        const node = shown.ui.nodes.find((one: any) => one.attributes.id === 'lookup_secret_codes')
        codes = node.attributes.text.context.secrets.map((one: any) => one.text)
        return person.submit('settings', shown, { method: 'lookup_secret', lookup_secret_confirm: 'true' })
      })

      person.signOut()
      await expect('sign-in by password', ['login/before', 'login/after/password'], async () =>
        person.submit('login', await person.begin('login'), {
          method: 'password',
          identifier,
          password: `${PASSWORD}-2`,
        }),
      )
      await expect('a backup code', ['login/before', 'login/after/lookup_secret'], async () =>
        person.submit('login', await person.begin('login', '?aal=aal2'), {
          method: 'lookup_secret',
          lookup_secret: codes[0]!,
        }),
      )
      person.signOut()
      await expect('sign-in by code', ['login/before', 'login/after/code'], async () => {
        const flow = await person.begin('login')
        await person.submit('login', flow, { method: 'code', identifier })
        const code = await lastCode(server, email, 'login_code')
        return person.submit('login', await person.again('login', flow), { method: 'code', identifier, code })
      })
      await expect('a code of the app', ['login/before', 'login/after/totp'], async () =>
        person.submit('login', await person.begin('login', '?aal=aal2'), {
          method: 'totp',
          // of the next half minute: this one's was used
          totp_code: codeAt(Date.now() / 1000 + 30, secret),
        }),
      )

      person.signOut()
      for (const kind of ['recovery', 'verification'] as const)
        await expect(kind, [`${kind}/before`, `${kind}/after`], async () => {
          const flow = await person.begin(kind)
          await person.submit(kind, flow, { method: 'code', email })
          const code = await lastCode(server, email, `${kind}_code`)
          return person.submit(kind, await person.again(kind, flow), { method: 'code', code })
        })

      person.signOut()
      const other = randomAddress()
      await expect('registration by code', ['registration/before', 'registration/after/code'], async () => {
        const flow = await person.begin('registration')
        const form = { method: 'code', 'traits.email': other }
        await person.submit('registration', flow, form)
        const code = await lastCode(server, other, 'registration_code')
        return person.submit('registration', await person.again('registration', flow), { ...form, code })
      })
    })
  }
})

/** `traits.email` as a member of `traits`. */
function nested(form: Record<string, string | undefined>): Record<string, unknown> {
  const json: Record<string, any> = {}
  for (const [name, value] of Object.entries(form)) {
    const [first, second] = name.split('.')
    if (second === undefined) json[first!] = value === 'true' ? true : value
    else json[first!] = { ...json[first!], [second]: value }
  }
  return json
}
