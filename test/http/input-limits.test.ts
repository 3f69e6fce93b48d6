import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import net from 'node:net'
import { after, before, describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { Client, createPerson, PASSWORD, signInNative } from '../helpers/client.ts'
import { postgres, type Scope } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const KB = 1024
const newEmail = () => `l${randomBytes(8).toString('hex')}@example.com`
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
const schema = {
  type: 'object',
  properties: {
    traits: {
      type: 'object',
      properties: {
        email: {
          type: 'string',
          format: 'email',
          'ory.sh/kratos': { credentials: { password: { identifier: true } } },
        },
        tags: { type: 'array', items: { type: 'string' } },
        note: { type: 'string' },
      },
      required: ['email'],
    },
  },
}
const url = `base64://${Buffer.from(JSON.stringify(schema)).toString('base64')}`

describe('what enters has a limit, and a message of its own', () => {
  let server: TestServer
  const endings: (() => Promise<void>)[] = []
  const scope: Scope = { after: (work) => void endings.push(work) }
  before(async () => {
    const config = { identity: { default_schema_id: 'default', schemas: [{ id: 'default', url }] } }
    server = await testServer(scope, { backend: postgres, config })
  })
  after(async () => {
    for (const work of endings.reverse()) await work()
  })

  async function register(options: { json?: object; form?: [string, string][]; body?: string }, type?: string) {
    const client = new Client(server)
    const { id } = (await client.get('/self-service/registration/api')).body
    const headers = type === undefined ? {} : { headers: { 'content-type': type } }
    return client.send('POST', `/self-service/registration?flow=${id}`, { ...options, ...headers })
  }
  const admin = (method: string, path: string, json: unknown) =>
    new Client(server).send(method, `${server.adminUrl}/admin${path}`, { json })
  const create = (more: object) => admin('POST', '/identities', { traits: { email: newEmail(), ...more } })
  const told = ({ body }: { body: any }): string => body.ui?.messages?.[0]?.text ?? body.error?.reason

  const forms: Record<string, [Parameters<typeof register>, RegExp]> = {
    'too many fields': [[{ form: Array(1001).fill(['a', 'b']) }], /more than 1000 fields/],
    'too many parts': [
      [
        { body: `${'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n'.repeat(1001)}--x--\r\n` },
        'multipart/form-data; boundary=x',
      ],
      /more than 1000 fields/,
    ],
    'too many values': [[{ json: { traits: Array(10_001).fill(1) } }], /more than 10000 values/],
    'too many values in a text': [
      [{ json: { method: 'password', traits: JSON.stringify(Array(10_001).fill(1)) } }],
      /more than 10000 values/,
    ],
    'too many levels': [[{ body: `{"a":${nested(64)}}` }, 'application/json'], /deeper than 64 levels/],
    'too many bytes': [[{ json: { a: 'x'.repeat(256 * KB) } }], /too large/],
    'megabytes of fields': [[{ form: Array(500_000).fill(['a', 'b']) }], /too large/],
    'too large traits': [
      [{ json: { method: 'password', password: PASSWORD, traits: { email: newEmail(), note: 'x'.repeat(64 * KB) } } }],
      /^traits must not be larger than 65536 bytes/,
    ],
  }
  for (const [what, [input, message]] of Object.entries(forms)) {
    test(`a form with ${what}`, async () => {
      const reply = await register(...input)
      assert.equal(reply.status, 400)
      assert.match(told(reply), message)
    })
  }

  test('a form at its limits is taken', async () => {
    const traits = { email: newEmail(), note: 'x'.repeat(59 * KB), tags: Array(900).fill('a') }
    const reply = await register({ json: { method: 'password', password: PASSWORD, traits } })
    assert.equal(reply.status, 200, reply.text.slice(0, 300))
    const form: [string, string][] = Array.from({ length: 997 }, (_, i) => [`x${i}`, ''])
    form.push(['method', 'password'], ['password', PASSWORD], ['traits.email', newEmail()])
    assert.equal((await register({ form })).status, 200)
  })

  /** JSON inside a text of a form, with what JSON of a body must not hold either. */
  const inside: Record<string, [text: string, message: RegExp]> = {
    'a NUL': ['{"email":"a@b.test","note":"a\\u0000b"}', /NUL character/],
    'a NUL in a name': ['{"email":"a@b.test","a\\u0000":"b"}', /NUL character/],
    'half a character': ['{"email":"a@b.test","note":"\\ud800"}', /incomplete Unicode character/],
    'five thousand levels': [`{"email":"a@b.test","tags":${nested(5000)}}`, /deeper than 64 levels/],
  }
  for (const field of ['traits', 'transient_payload']) {
    for (const [what, [text, message]] of Object.entries(inside)) {
      test(`${field} as a text with ${what}`, async () => {
        const whole = { method: 'password', password: PASSWORD, 'traits.email': newEmail(), [field]: text }
        for (const reply of [await register({ json: whole }), await register({ form: Object.entries(whole) })]) {
          assert.equal(reply.status, 400, reply.text)
          assert.match(told(reply), message)
        }
      })
    }
    test(`${field} as a text with a prototype changes none`, async () => {
      const text = `{"email":"${newEmail()}","__proto__":{"polluted":1}}`
      const reply = await register({ json: { method: 'password', password: PASSWORD, [field]: text } })
      assert.ok(reply.status < 500, reply.text)
      assert.equal(({} as { polluted?: number }).polluted, undefined)
    })
  }

  test('settings hold to the limit of traits, too', async () => {
    const { token } = await signInNative(server, await createPerson(server))
    const headers = { 'x-session-token': token }
    const client = new Client(server)
    const { id } = (await client.get('/self-service/settings/api', headers)).body
    const json = { method: 'profile', traits: { email: newEmail(), note: 'x'.repeat(64 * KB) } }
    const reply = await client.send('POST', `/self-service/settings?flow=${id}`, { headers, json })
    assert.equal(reply.status, 400)
    assert.match(told(reply), /^traits must not be larger/)
  })

  const LARGE = 'x'.repeat(64 * KB)
  for (const name of ['traits', 'metadata_public', 'metadata_admin']) {
    const large = name === 'traits' ? { traits: { email: 'x@example.com', note: LARGE } } : { [name]: { a: LARGE } }
    test(`operators cannot store larger ${name}, in any way`, async () => {
      const identity = (await create({})).body
      const whole = { schema_id: 'default', traits: { email: newEmail() }, state: 'active', ...large }
      const value = (large as { [member: string]: unknown })[name]
      const patch = [{ op: 'add', path: `/${name}`, value }]
      const replies = [
        await admin('POST', '/identities', whole),
        await admin('PUT', `/identities/${identity.id}`, whole),
        await admin('PATCH', `/identities/${identity.id}`, patch),
      ]
      for (const reply of replies) {
        assert.equal(reply.status, 400)
        assert.match(told(reply), new RegExp(`^${name} must not be larger than 65536 bytes`))
      }
      const batch = await admin('PATCH', '/identities', { identities: [{ create: whole }] })
      assert.equal(batch.body.identities[0].error.code, 400)
    })
  }

  test('an identity that is larger already can be read and changed, but not grow', async () => {
    const { id } = (await create({})).body
    await server.db.query(
      sql('test.grow', "update identities set traits = traits || jsonb_build_object('note', $2::text) where id = $1"),
      [id, LARGE],
    )
    assert.equal((await new Client(server).get(`${server.adminUrl}/admin/identities/${id}`)).body.traits.note, LARGE)
    const change = (path: string, value: unknown) =>
      admin('PATCH', `/identities/${id}`, [{ op: 'replace', path, value }])
    assert.equal((await change('/state', 'inactive')).status, 200)
    assert.equal((await change('/traits/note', LARGE.slice(1))).status, 200)
    assert.equal((await change('/traits/note', LARGE)).status, 400)
  })

  test('a batch of a thousand identities is taken', async () => {
    const item = () => ({
      create: { schema_id: 'default', traits: { email: newEmail(), tags: Array(50).fill('tag') } },
    })
    const reply = await admin('PATCH', '/identities', { identities: Array.from({ length: 1000 }, item) })
    assert.equal(reply.status, 200)
    assert.ok(reply.body.identities.every(({ action }: { action: string }) => action === 'create'))
  })

  test('headers: 32 kB in all', async () => {
    const request = (size: number) =>
      `GET /health/alive HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-A: ${'a'.repeat(size)}\r\n\r\n`
    assert.match(await exchange(server.publicUrl, request(31 * KB)), /^HTTP\/1\.1 200/)
    const refused = await exchange(server.publicUrl, request(33 * KB))
    assert.match(refused, /^HTTP\/1\.1 431/)
    assert.match(refused, /larger than 32768 bytes/)
  })
})

function exchange(url: string, request: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(request))
    let answer = ''
    socket.on('data', (part) => {
      answer += part
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}
