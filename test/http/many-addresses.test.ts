import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { Client } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const schema = {
  $id: 'https://example.test/many.json',
  type: 'object',
  properties: {
    traits: {
      type: 'object',
      properties: {
        emails: {
          type: 'array',
          items: {
            type: 'string',
            format: 'email',
            'ory.sh/kratos': {
              credentials: { password: { identifier: true }, code: { identifier: true, via: 'email' } },
              verification: { via: 'email' },
            },
          },
        },
      },
      additionalProperties: false,
    },
  },
}
const hooks = [{ hook: 'session' }, { hook: 'show_verification_ui' }]
const config = {
  feature_flags: { legacy_continue_with_verification_ui: true },
  identity: { schemas: [{ id: 'default', url: `base64://${Buffer.from(JSON.stringify(schema)).toString('base64')}` }] },
  selfservice: {
    methods: { code: { enabled: true, passwordless_enabled: true } },
    flows: { verification: { enabled: true, use: 'code' }, registration: { after: { password: { hooks } } } },
  },
}

describe('a newcomer who names the addresses of many others', () => {
  const scope = closingScope()
  let server: TestServer
  before(async () => {
    server = await testServer(scope, { config })
  })
  after(() => scope.close())

  async function register(method: object) {
    const word = randomBytes(6).toString('hex')
    const emails = Array.from({ length: 200 }, (_, at) => `${word}-${at}@example.org`)
    const client = new Client(server)
    const { id } = (await client.get('/self-service/registration/api')).body
    const { status, body } = await client.send('POST', `/self-service/registration?flow=${id}`, {
      json: { traits: { emails }, ...method },
    })
    const list = await client.get(`${server.adminUrl}/admin/courier/messages?page_size=250`)
    return { status, body, sent: list.body.filter(({ recipient }: any) => recipient.startsWith(word)).length }
  }

  test('gets ten of them written to for the verification of addresses', async () => {
    const { status, sent } = await register({ method: 'password', password: 'a-quiet-Harbour-93' })
    assert.deepEqual([status, sent], [200, 10])
  })

  test('gets ten of them written to for a registration by code', async () => {
    const { body, sent } = await register({ method: 'code' })
    assert.deepEqual([body.state, sent], ['sent_email', 10])
  })
})
