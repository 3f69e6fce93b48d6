import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { parseTime } from '../../src/kernel/base/clock.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { Client } from '../helpers/client.ts'
import { closingScope, openKratos } from '../helpers/db.ts'
import { leaveFor, whoami } from '../helpers/provider-sign-in.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { type StubProvider, stubProvider } from '../helpers/stub-provider.ts'

/** What belongs to `live-oidc.sql`: people whom Kratos linked to accounts at providers, and what it left under way. */
const FACTS = JSON.parse(readFileSync(new URL('../fixtures/live-oidc.json', import.meta.url), 'utf8'))
const DATA = readFileSync(new URL('../fixtures/live-oidc.sql', import.meta.url), 'utf8')

interface Linked {
  email: string
  config: { providers: { provider: string; subject: string }[] | null }
}
const accounts = (FACTS.rows as Linked[]).flatMap(({ email, config }) =>
  (config.providers ?? []).map((one) => ({ email, ...one })),
)

describe('accounts at providers that Kratos linked', () => {
  const scope = closingScope()
  let server: TestServer
  let provider: StubProvider
  before(async () => {
    provider = await stubProvider(scope)
    const db = await openKratos(scope)
    await db.script(`truncate networks cascade; ${DATA}`)
    await db.script(`update continuity_containers set expires_at = '2026-11-27 05:00:00'`)
    await migrateUp(db)
    const schemas = FACTS.config.identity.schemas.map(({ id, url, json }: any) => ({
      id,
      url: url ?? `base64://${Buffer.from(JSON.stringify(json)).toString('base64')}`,
    }))
    const { selfservice } = FACTS.config
    const config = { providers: ['one', 'two', 'gl', 'stub', 'pk'].map((id) => provider.entry(id)) }
    const base = {
      ...FACTS.config,
      oauth2_provider: {},
      identity: { ...FACTS.config.identity, schemas },
      selfservice: { ...selfservice, methods: { ...selfservice.methods, oidc: { enabled: true, config } } },
    }
    server = await testServer(scope, { db, base, clock: { now: () => parseTime('2026-11-27T03:54:30Z') } })
  })
  after(() => scope.close())

  for (const { email, provider: id, subject } of accounts) {
    test(`${email} signs in at ${id}`, async () => {
      const client = new Client(server)
      const back = new URL(provider.signIn(await leaveFor(client, id), { sub: subject, email }))
      const done = await client.get(`${back.pathname}${back.search}`)
      assert.equal(done.status, 200, done.text)
      assert.equal((await whoami(client)).session.identity.traits.email, email)
    })
  }

  for (const [name, { providers }] of Object.entries<any>(FACTS.tokens_in_clear)) {
    test(`${name}: an operator reads the tokens of the first sign-in`, async () => {
      const { identity } = FACTS.identities[name]
      const answer = await new Client(server).get(
        `${server.adminUrl}/admin/identities/${identity}?include_credential=oidc`,
      )
      const shown = answer.body.credentials.oidc?.config.providers ?? []
      const tokens = (list: any[]) => list.map((one) => [one.subject, one.initial_id_token, one.initial_access_token])
      const held = (providers ?? []).filter((one: any) => one.subject !== '')
      assert.deepEqual(tokens(shown.filter((one: any) => one.subject !== '')), tokens(held))
    })
  }

  /** Somebody who left for the provider from Kratos comes back here. */
  function comeBack({ provider: id, state, cookies = '', challenge }: any, claims: { sub: string; email: string }) {
    const path = `/self-service/methods/oidc/callback/${id}`
    const query = new URLSearchParams({
      ...{ state, client_id: `client-${id}`, redirect_uri: `https://auth.example.org${path}` },
      ...(challenge === undefined ? {} : { code_challenge: challenge }),
    })
    const back = new URL(provider.signIn(`${provider.issuer}/authorize?${query}`, claims))
    return new Client(server).get(`${path}${back.search}`, { cookie: cookies, accept: 'application/json' })
  }

  test('a login that was begun at Kratos ends here', async () => {
    const done = await comeBack(FACTS.open.login_at_provider, { sub: 'new', email: 'new@example.org' })
    assert.equal(done.status, 200, done.text)
    assert.equal(done.body.session?.identity.traits.email ?? done.body.identity.traits.email, 'new@example.org')
  })

  test('so does a registration whose proof stands in the state', async () => {
    const done = await comeBack(FACTS.open.registration_at_provider_pkce, { sub: 'pia', email: 'pia@example.org' })
    assert.equal(done.status, 200, done.text)
    assert.match(done.body.identity.traits.email, /@example\.org$/)
  })

  test('an app that asked Kratos for its codes gets its session here', async () => {
    const { native_at_provider: open } = FACTS.open
    const done = await comeBack(open, { sub: 'app', email: 'app@example.org' })
    const code = new URL(done.headers.get('location')!).searchParams.get('code')!
    const query = new URLSearchParams({ init_code: open.init_code, return_to_code: code })
    const { status, body } = await new Client(server).get(`/sessions/token-exchange?${query}`)
    assert.deepEqual([status, body.session?.identity.traits.email], [200, 'app@example.org'])
  })
})
