import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { exchange, type OutboundAnswer } from '../../src/kernel/outbound/client.ts'
import { Client, createPerson, csrfOf, signIn } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { hostileServer, NAMES } from '../helpers/hostile-server.ts'
import { issuerOf } from '../helpers/provider-apis.ts'
import { serverWithProvider, signInAt, whoami } from '../helpers/provider-sign-in.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { MAPPER } from '../helpers/stub-provider.ts'
import { pathOf } from '../helpers/ui.ts'

const PLACES = ['discovery', 'jwks', 'token', 'userinfo'] as const
const PATHS: Record<string, (typeof PLACES)[number]> = {
  ...{ '/.well-known/openid-configuration': 'discovery', '/jwks': 'jwks', '/token': 'token', '/userinfo': 'userinfo' },
}

/** Each fault at each place of a provider of its own, so that nothing is kept from one to the next. */
const ALL = PLACES.flatMap((place) => NAMES.map((fault, at) => ({ id: `${place}-${at}`, place, fault })))

describe('the people who come from a server that does what it should not', () => {
  const scope = closingScope()
  let server: TestServer
  /** what the good provider says */
  let claims: Record<string, unknown> = {}
  let token: Record<string, unknown> = {}
  let keys: (good: object[]) => unknown = (good) => ({ keys: good })
  before(async () => {
    const hostile = await hostileServer(scope)
    const ids = ['good', ...ALL.map(({ id }) => id)]
    const issuers = new Map(
      await Promise.all(ids.map(async (id) => [id, await issuerOf(`https://${id}.example`)] as const)),
    )
    const providers = ids.map((id) => ({
      ...{ id, provider: 'generic', issuer_url: `https://${id}.example`, client_id: 'client', client_secret: 's' },
      ...{ mapper_url: MAPPER, claims_source: id.startsWith('userinfo') ? 'userinfo' : 'id_token' },
    }))
    server = await testServer(scope, {
      async exchange(request, rules): Promise<OutboundAnswer> {
        const { hostname, pathname, href } = new URL(request.url)
        const id = hostname.replace('.example', '')
        const place = PATHS[pathname]
        const { fault } = ALL.find((one) => one.id === id && one.place === place) ?? {}
        if (fault) {
          return exchange({ ...request, url: `${hostile}/${encodeURIComponent(fault)}/`, timeoutMs: 700 }, rules)
        }
        const { make, says } = issuers.get(id)!
        const { keys: all } = says[`https://${id}.example/jwks`] as { keys: object[] }
        const said = {
          discovery: says[href],
          jwks: keys(all),
          userinfo: { sub: 's', email: 's@example.org' },
          token: place === 'token' && { access_token: 'at', id_token: await make({ sub: 's', ...claims }), ...token },
        }[place!]
        return { status: 200, headers: {}, body: Buffer.from(JSON.stringify(said)), cut: undefined }
      },
      config: {
        selfservice: {
          methods: { oidc: { enabled: true, config: { providers } } },
          flows: { registration: { after: { oidc: { hooks: [{ hook: 'session' }] } } } },
        },
      },
    })
  })
  after(() => scope.close())

  const leave = async (client: Client, provider: string) => {
    const flow = (await client.get('/self-service/login/browser')).body
    const json = { method: 'oidc', csrf_token: csrfOf(flow), provider }
    return client.send('POST', pathOf(flow.ui.action), { json })
  }
  async function comeBack(provider: string) {
    const client = new Client(server)
    const left = await leave(client, provider)
    if (left.status !== 422) return { client, answer: left, left: false }
    const { searchParams } = new URL(left.body.redirect_browser_to)
    const query = new URLSearchParams({ code: 'c', state: searchParams.get('state')! })
    return { client, answer: await client.get(`/self-service/methods/oidc/callback/${provider}?${query}`), left: true }
  }

  test('are told so in time, and get no session', async () => {
    const bystander = new Client(server)
    await signIn(bystander, await createPerson(server))
    for (let at = 0; at < ALL.length; at += 10) {
      await Promise.all(
        ALL.slice(at, at + 10).map(async ({ id, place, fault }) => {
          const what = `${fault} at ${place}`
          const { client, answer, left } = await comeBack(id)
          const { status, body, text, setCookie } = answer
          const told =
            status === 400
              ? body.ui.messages[0].id === 4000001
              : left
                ? status === 502 && body.error.id === 'upstream_error'
                : status === 500 && body.error.id === 'invalid_configuration'
          assert.ok(told && left === (place !== 'discovery'), `${what}: ${status} ${text.slice(0, 300)}`)
          assert.ok(!setCookie.some((cookie) => /^ory_kratos_session=[^;]/.test(cookie)), what)
          assert.equal((await whoami(client)).status, 401, what)
        }),
      )
      assert.equal((await whoami(bystander)).status, 200)
    }
  })

  test('with claims of strange types are signed in, and verified only by the word of the provider', async () => {
    const odd: Record<string, unknown>[] = [
      ...[true, 'true'].map((email_verified) => ({ email_verified })),
      ...[1, 'True', 'TRUE', 'yes', null, [true], {}, 'false'].map((email_verified) => ({ email_verified })),
      ...[{ updated_at: 'soon' }, { updated_at: 1.5e9 + 0.25 }, { picture: { url: 'x' } }, { phone_number: 7 }],
      ...[{ birthdate: 19870312 }, { preferred_username: 12 }, { name: ['A', 'B'] }, { locale: 7 }, { amr: 'pwd' }],
    ]
    const mapper = `base64://${Buffer.from(
      "local claims = std.extVar('claims'); { identity: { traits: { email: claims.email }, verified_addresses: if std.get(claims, 'email_verified', false) then [{ via: 'email', value: claims.email }] else [] } }",
    ).toString('base64')}`
    const { providers } = server.deps.config().selfservice.methods.oidc.config
    const entries = providers.map((one) => ({ ...one, ...(one.id === 'good' && { mapper_url: mapper }) }))
    await server.reconfigure({ selfservice: { methods: { oidc: { config: { providers: entries } } } } })
    let verified = 0
    for (const [at, one] of odd.entries()) {
      claims = { sub: `odd-${at}`, email: `odd-${at}@example.org`, ...one }
      const { client, answer } = await comeBack('good')
      assert.equal(answer.status, 200, `${JSON.stringify(one)}: ${answer.text.slice(0, 300)}`)
      const [address] = (await whoami(client)).session.identity.verifiable_addresses
      if (address.verified) verified += 1
      assert.equal(address.verified, at < 2, JSON.stringify(one))
    }
    assert.equal(verified, 2)
    for (const sub of [7, null, '', true, ['a'], {}, 'a\0b', 'a\nb', '\ud800']) {
      claims = { sub, email: 'no-one@example.org' }
      const { client, answer } = await comeBack('good')
      assert.ok([400, 502].includes(answer.status), `${JSON.stringify(sub)}: ${answer.status}`)
      assert.equal((await whoami(client)).status, 401)
    }
  })

  test('beside strange keys, and with a life of the token that nobody can read, are signed in', async () => {
    const strange = [{ kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA', kid: 'k' }, { kty: 'new' }, null, { kid: 'k' }, 7]
    for (const [at, expires_in] of [3599.99, 'soon', null, -1, { in: 1 }].entries()) {
      keys = (good) => ({ keys: [strange[at], ...good] })
      token = { expires_in }
      claims = { sub: 'ada', email: 'ada@example.org' }
      const { client, answer } = await comeBack('good')
      assert.equal(answer.status, 200, answer.text.slice(0, 300))
      assert.equal((await whoami(client)).status, 200)
    }
  })
})

/** `SIGN_INS=200` for more. */
const SIGN_INS = Number(process.env.SIGN_INS ?? 40)

test('of many sign-ins at once on a machine that has no time, no mapper fails: its budget is steps, not time', async (t) => {
  const { server, provider } = await serverWithProvider(t)
  const busy = setInterval(() => {
    const until = performance.now() + 20
    while (performance.now() < until);
  }, 40)
  t.after(() => clearInterval(busy))
  const people = Array.from({ length: SIGN_INS }, (_, i) => ({ sub: `many-${i}`, email: `many-${i}@example.com` }))
  const sessions = await Promise.all(people.map((claims) => signInAt({ server, provider }, claims)))
  assert.equal(new Set(sessions.map(({ session }) => session.identity.id)).size, people.length)
})
