import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import type { OutboundAnswer } from '../../src/kernel/outbound/client.ts'
import { Client, createPerson } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { issuerOf } from '../helpers/provider-apis.ts'
import { leaveFor, whoami } from '../helpers/provider-sign-in.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const KEPT = sql('test.kept', `select payload::text as payload from continuity_containers where name like 'lethe%'`)
const MAPPER = `local claims = std.extVar('claims');
local get(name) = std.get(claims, name, null);
{
  identity: {
    traits: {
      [if 'email' in claims then 'email']: claims.email,
      name: { [if get('given_name') != null then 'first']: get('given_name'), [if get('family_name') != null then 'last']: get('family_name') },
    },
    verified_addresses: [{ via: 'email', value: get('email') }],
  },
}`
const TENANT = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
const ISSUERS = { apple: 'https://appleid.apple.com', entra: `https://login.microsoftonline.com/${TENANT}/v2.0` }
const TOKENS = {
  [`${ISSUERS.apple}/auth/token`]: 'apple' as const,
  'https://login.microsoftonline.com/common/oauth2/v2.0/token': 'entra' as const,
}

describe('providers at fixed places', () => {
  const scope = closingScope()
  let server: TestServer
  /** what the next id token says */
  let claims: Record<string, unknown> = {}
  before(async () => {
    const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' })
    const issuers = { apple: await issuerOf(ISSUERS.apple), entra: await issuerOf(ISSUERS.entra) }
    const says: Record<string, unknown> = { ...issuers.apple.says, ...issuers.entra.says }
    const base = { client_id: 'client', mapper_url: `base64://${Buffer.from(MAPPER).toString('base64')}` }
    const apple = { apple_team_id: 'T', apple_private_key_id: 'K', apple_private_key: String(pem) }
    const hooks = { after: { oidc: { hooks: [{ hook: 'session' }] } } }
    server = await testServer(scope, {
      async exchange({ url }): Promise<OutboundAnswer> {
        const kind = TOKENS[url]
        const said = kind ? { access_token: 'at', id_token: await issuers[kind].make(claims) } : says[url]
        const body = Buffer.from(JSON.stringify(said ?? null))
        return { status: said === undefined ? 404 : 200, headers: {}, body, cut: undefined }
      },
      config: {
        selfservice: {
          flows: { registration: hooks },
          methods: {
            oidc: {
              enabled: true,
              config: {
                providers: [
                  { id: 'apple', provider: 'apple', ...base, ...apple },
                  { id: 'entra', provider: 'microsoft', microsoft_tenant: 'common', client_secret: 's', ...base },
                ],
              },
            },
          },
        },
      },
    })
  })
  after(() => scope.close())

  /** @param user what Apple posts beside the code, the first time */
  async function comeBack(client: Client, provider: string, said: Record<string, unknown>, user?: object) {
    const { searchParams } = new URL(await leaveFor(client, provider))
    const query = new URLSearchParams({ code: 'c', state: searchParams.get('state')! })
    if (user) query.set('user', JSON.stringify(user))
    claims = said
    return client.get(`/self-service/methods/oidc/callback/${provider}?${query}`)
  }

  test('the name that Apple tells only the first time is there for the try that succeeds', async () => {
    const ida = { name: { firstName: 'Ida', lastName: 'Quiet' } }
    const first = await comeBack(new Client(server), 'apple', { sub: 'ida' }, ida)
    assert.deepEqual([first.status, first.body.ui.nodes.length > 2], [400, true])
    const [kept] = await server.db.query<{ payload: string }>(KEPT)
    assert.ok(kept && !kept.payload.includes('Ida'), 'sealed')

    const other = new Client(server)
    assert.equal((await comeBack(other, 'apple', { sub: 'another', email: 'another@example.org' })).status, 200)
    assert.equal((await whoami(other)).session.identity.traits.name?.first, undefined)

    const second = new Client(server)
    assert.equal((await comeBack(second, 'apple', { sub: 'ida', email: 'ida@example.org' })).status, 200)
    const { traits } = (await whoami(second)).session.identity
    assert.deepEqual(traits, { email: 'ida@example.org', name: { first: 'Ida', last: 'Quiet' } })
    assert.deepEqual(await server.db.query(KEPT), [], 'it goes when the identity exists')
  })

  test('names that are no names end no sign-in', async () => {
    for (const [at, user] of [{ name: 7 }, { name: { firstName: '\0' } }, [], { name: { firstName: {} } }].entries()) {
      const client = new Client(server)
      const said = { sub: `odd-${at}`, email: `odd-${at}@example.org` }
      assert.equal((await comeBack(client, 'apple', said, user)).status, 200, JSON.stringify(user))
      assert.equal((await whoami(client)).session.identity.traits.name?.first, undefined)
    }
  })

  test('an address that any tenant wrote is a conflict for its owner, and verified for no one', async () => {
    const boss = await createPerson(server)
    const attacker = new Client(server)
    const evil = { sub: 'evil', tid: TENANT, email_verified: true }
    const conflict = await comeBack(attacker, 'entra', { ...evil, email: boss.email })
    assert.deepEqual([conflict.status, conflict.body.ui.messages[0].id], [400, 1010016])
    assert.equal((await whoami(attacker)).status, 401)
    for (const [sub, more, verified] of [
      ['free', {}, false],
      ['owned', { xms_edov: true }, true],
    ] as const) {
      const client = new Client(server)
      const email = `${sub}@example.org`
      assert.equal((await comeBack(client, 'entra', { ...evil, sub, email, ...more })).status, 200)
      const [address] = (await whoami(client)).session.identity.verifiable_addresses
      assert.deepEqual([address.value, address.verified], [email, verified])
    }
  })

  test('with allowed tenants, people of others neither register nor sign in', async (t) => {
    const allow = (...tenants: string[]) => ({ lethe: { providers: [{ id: 'entra', allowed_tenants: tenants }] } })
    const come = async () => {
      const client = new Client(server)
      const said = { sub: 'of-a-tenant', tid: TENANT, email: 'of-a-tenant@example.org' }
      const { status } = await comeBack(client, 'entra', said)
      return [status, (await whoami(client)).status]
    }
    t.after(() => server.reconfigure({ lethe: { providers: [] } }))
    const other = '0f8fad5b-d9cb-469f-a165-70867728950e'
    await server.reconfigure(allow(other))
    assert.deepEqual(await come(), [400, 401])
    await server.reconfigure(allow(other, TENANT.toUpperCase()))
    assert.deepEqual(await come(), [200, 200])
    await server.reconfigure(allow(other))
    assert.deepEqual(await come(), [400, 401])
  })
})
