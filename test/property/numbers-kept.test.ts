import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { exportJWK, generateKeyPair } from 'jose'
import { parse, stringify } from 'lossless-json'
import { sql } from '../../src/kernel/db/client.ts'
import { Client, PASSWORD } from '../helpers/client.ts'
import { pglite, postgres, type Scope } from '../helpers/db.ts'
import fc, { MORE } from '../helpers/fast-check.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

/** Texts of numbers that JavaScript rounds, shortens or cannot hold, among plain ones. */
const number = fc.oneof(
  fc.constantFrom('1546130668394913822', '76561198000000001', '0.1234567890123456789', '1e400', '-1E+25', '1e-30'),
  fc.constantFrom('1.0', '-0.0', '-0', '0', '1', '-1.50', '100', '9007199254740993', '18446744073709551617'),
  fc.stringMatching(/^-?(0|[1-9]\d{0,30})(\.\d{1,20})?([eE][+-]?\d{1,2})?$/),
)
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    { weight: 4, arbitrary: number },
    { weight: 1, arbitrary: fc.constantFrom('null', 'true', '"1.0"', '"a\\"1e5"', '"{1.0}"') },
    { weight: 2, arbitrary: fc.array(tie('json'), { maxLength: 4 }).map((items) => `[${items.join(', ')}]`) },
    { weight: 2, arbitrary: members(tie('json')) },
  ),
}))
/** An object as text; repeated names are left out, as the last would win. */
function members(value: fc.Arbitrary<string>) {
  const entry = fc.tuple(fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', '1.0'), value)
  return fc
    .uniqueArray(entry, { maxLength: 4, selector: ([name]) => name })
    .map((entries) => `{${entries.map(([name, inner]) => `"${name}": ${inner}`).join(',')}}`)
}
const object = members(json)

const email = {
  type: 'string',
  format: 'email',
  'ory.sh/kratos': { credentials: { password: { identifier: true } } },
}
const PERSON = {
  type: 'object',
  properties: {
    traits: { type: 'object', properties: { email, free: {}, count: { type: 'number', title: 'Count' } } },
  },
}
const base64 = (value: unknown) => `base64://${Buffer.from(JSON.stringify(value)).toString('base64')}`

const AS_STORED = sql('test.as_stored', 'select $1::jsonb::text as text')
const ROW = sql(
  'test.numbers_row',
  `select traits::text, metadata_public::text, metadata_admin::text from identities where id = $1`,
)
const PUT_ROW = sql('test.numbers_put', 'update identities set traits = $2, metadata_public = $3 where id = $1')

for (const backend of [pglite, postgres]) {
  describe(`numbers keep every digit on ${backend.name}`, () => {
    let server: TestServer
    const endings: (() => Promise<void>)[] = []
    const scope: Scope = { after: (work) => void endings.push(work) }
    before(async () => {
      const { privateKey } = await generateKeyPair('ES256', { extractable: true })
      const jwks_url = base64({ keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', kid: 'k' }] })
      const claims = { free: '{{ session.identity.traits.free }}', public: '{{ session.identity.metadata_public }}' }
      const template = { jwks_url, claims_mapper_url: base64({ claims }) }
      server = await testServer(scope, {
        backend,
        config: {
          identity: { default_schema_id: 'person', schemas: [{ id: 'person', url: base64(PERSON) }] },
          session: { whoami: { tokenizer: { templates: { t: template } } } },
        },
      })
    })
    after(async () => {
      for (const work of endings.reverse()) await work()
    })

    const newEmail = () => `n${randomBytes(8).toString('hex')}@example.com`
    const send = async (method: string, url: string, body?: string, headers: Record<string, string> = {}) => {
      const type = { 'content-type': 'application/json', ...headers }
      const reply = await new Client(server).send(
        method,
        url,
        body === undefined ? { headers } : { body, headers: type },
      )
      assert.ok(reply.status < 300, `${method} ${url} ${body}: ${reply.status} ${reply.text}`)
      return reply
    }
    const admin = (method: string, path: string, body?: string) => send(method, `${server.adminUrl}/admin${path}`, body)
    /** The text of one member of an answer, digits as they came. */
    const member = (text: string, ...path: (string | number)[]): string => {
      let value = parse(text) as any
      for (const step of path) value = value[step]
      return stringify(value)!
    }
    const compact = (text: string) => stringify(parse(text))!
    const stored = async (text: string) =>
      compact((await server.db.query<{ text: string }>(AS_STORED, [text]))[0]!.text)
    const row = async (id: string) => (await server.db.query<Record<string, string>>(ROW, [id]))[0]!
    const person = (traits: string, pub: string, adm: string) =>
      `{"schema_id":"person","traits":{"email":"${newEmail()}","free":${traits}},"metadata_public":${pub},"metadata_admin":${adm},` +
      `"credentials":{"password":{"config":{"password":"${PASSWORD}"}}}}`

    async function native(flow: 'login' | 'registration' | 'settings', body: string, headers = {}) {
      const begun = await send('GET', `/self-service/${flow}/api`, undefined, headers)
      return send('POST', `/self-service/${flow}?flow=${begun.body.id}`, body, headers)
    }
    const signIn = async (id: string) => {
      const address = JSON.parse((await row(id)).traits!).email
      const login = { method: 'password', identifier: address, password: PASSWORD }
      const { text, body } = await native('login', JSON.stringify(login))
      return { text, headers: { 'x-session-token': body.session_token as string }, session: body.session.id as string }
    }

    /** Every answer that shows an identity, and the row. */
    async function assertShown(id: string, traits: string, pub: string, adm: string): Promise<void> {
      const [free, open, closed] = await Promise.all([traits, pub, adm].map(stored))
      const at = await row(id)
      assert.deepEqual(
        [member(at.traits!, 'free'), compact(at.metadata_public!), compact(at.metadata_admin!)],
        [free, open, closed],
      )
      const one = (await admin('GET', `/identities/${id}`)).text
      assert.deepEqual(
        [member(one, 'traits', 'free'), member(one, 'metadata_public'), member(one, 'metadata_admin')],
        [free, open, closed],
      )
      const list = (await admin('GET', `/identities?ids=${id}`)).text
      assert.deepEqual([member(list, 0, 'traits', 'free'), member(list, 0, 'metadata_admin')], [free, closed])
      const { text: login, headers, session } = await signIn(id)
      const other = await signIn(id)
      const seen = [member(login, 'session')]
      seen.push((await send('GET', '/sessions/whoami', undefined, headers)).text)
      seen.push((await admin('GET', `/sessions/${session}?expand=identity`)).text)
      seen.push(member((await admin('GET', `/identities/${id}/sessions`)).text, 0))
      seen.push(member((await send('GET', '/sessions', undefined, other.headers)).text, 0))
      const tokenized = (await send('GET', '/sessions/whoami?tokenize_as=t', undefined, headers)).text
      seen.push(tokenized)
      for (const [i, text] of seen.entries()) {
        const shown = [member(text, 'identity', 'traits', 'free'), member(text, 'identity', 'metadata_public')]
        assert.deepEqual([i, ...shown], [i, free, open])
      }
      const payload = Buffer.from(JSON.parse(tokenized).tokenized.split('.')[1], 'base64url').toString()
      assert.deepEqual([member(payload, 'free'), member(payload, 'public')], [free, open])
    }

    test('through every door of the admin API, into the row, and out of every answer', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(object, { minLength: 12, maxLength: 12 }), async (docs) => {
          const [a, b, c, d, e, f, g, h, i, j, k, l] = docs as [string, ...string[]] as string[] as [
            string,
            string,
            string,
            string,
            string,
            string,
            string,
            string,
            string,
            string,
            string,
            string,
          ]
          const created = await admin('POST', '/identities', person(a, b, c))
          assert.equal(member(created.text, 'traits', 'free'), compact(a))
          const { id } = created.body
          await assertShown(id, a, b, c)

          const put = person(d, e, f).replace(/,"credentials".*/, ',"state":"active"}')
          assert.equal(member((await admin('PUT', `/identities/${id}`, put)).text, 'metadata_admin'), compact(f))
          await assertShown(id, d, e, f)

          const patch = `[{"op":"replace","path":"/traits/free","value":${g}},{"op":"add","path":"/metadata_public","value":${h}}]`
          await admin('PATCH', `/identities/${id}`, patch)
          await assertShown(id, g, h, f)

          const batch = `{"identities":[{"create":${person(i, j, k)}}]}`
          const { identity } = (await admin('PATCH', '/identities', batch)).body.identities[0]
          await assertShown(identity, i, j, k)
          await admin('PATCH', `/identities/${identity}`, `[{"op":"add","path":"/metadata_admin/deep","value":[${l}]}]`)
          assert.equal(member((await row(identity)).metadata_admin!, 'deep', 0), await stored(l))
          const { deep: _, ...rest } = parse((await row(identity)).metadata_admin!) as Record<string, unknown>
          assert.equal(stringify(rest), await stored(k))
        }),
        { numRuns: 6 * MORE, endOnFailure: true },
      )
    })

    test('through registration and settings', async () => {
      await fc.assert(
        fc.asyncProperty(object, object, object, number, async (first, second, third, count) => {
          const traits = `{"email":"${newEmail()}","free":${first},"count":${count}}`
          const form = `{"method":"password","password":"${PASSWORD}","traits":${traits},"transient_payload":${second}}`
          const registered = await native('registration', form)
          assert.equal(member(registered.text, 'identity', 'traits', 'free'), compact(first))
          const id = registered.body.identity.id
          assert.equal(member((await row(id)).traits!, 'free'), await stored(first))
          assert.equal(member((await row(id)).traits!, 'count'), await stored(count))

          const { headers } = await signIn(id)
          const begun = await send('GET', '/self-service/settings/api', undefined, headers)
          const shown = parse(begun.text) as { ui: { nodes: { attributes: { name: string; value: unknown } }[] } }
          const node = shown.ui.nodes.find(({ attributes }) => attributes.name === 'traits.count')
          assert.equal(String(node!.attributes.value), await stored(count))
          // JSON inside a text, as forms send it
          const changed = traits.replace(`"free":${first}`, `"free":${third}`)
          await native('settings', `{"method":"profile","traits":${changed}}`, headers)
          assert.equal(member((await row(id)).traits!, 'free'), await stored(third))
          await native('settings', JSON.stringify({ method: 'profile', traits }), headers)
          assert.equal(member((await row(id)).traits!, 'free'), await stored(first))
        }),
        { numRuns: 8 * MORE, endOnFailure: true },
      )
    })

    test('a refused form shows the digits that were sent', async () => {
      const begun = await send('GET', '/self-service/registration/api')
      const body = '{"method":"password","password":"x","traits":{"email":"none","count":1546130668394913822}}'
      const refused = await new Client(server).send('POST', `/self-service/registration?flow=${begun.body.id}`, {
        ...{ body, headers: { 'content-type': 'application/json' } },
      })
      assert.equal(refused.status, 400)
      assert.match(refused.text, /"name":"traits.count",[^{}]*"value":1546130668394913822[,}]/)
      const again = await send('GET', `/self-service/registration/flows?id=${begun.body.id}`)
      assert.match(again.text, /"name":"traits.count",[^{}]*"value":1546130668394913822[,}]/)
    })

    test('a field of a form keeps more digits than a double has', async () => {
      for (const [sent, kept] of [
        ['1546130668394913822', '1546130668394913822'],
        ['0.12345678901234567890', '0.12345678901234567890'],
        ['1.0', '1'],
        ['1e3', '1000'],
      ]) {
        const begun = await send('GET', '/self-service/registration/api')
        const form = { method: 'password', password: PASSWORD, 'traits.email': newEmail(), 'traits.count': sent! }
        const done = await new Client(server).send('POST', `/self-service/registration?flow=${begun.body.id}`, { form })
        assert.equal(done.status, 200, done.text)
        assert.equal(member((await row(done.body.identity.id)).traits!, 'count'), kept)
      }
    })

    test('what is not changed is not written, however it got there', async () => {
      // Deeper than what is read exactly, as another program may have stored it.
      const deep = `${'['.repeat(1500)}1546130668394913822${']'.repeat(1500)}`
      const { id } = (await admin('POST', '/identities', person('1', '2', '[1.0, 1e400]'))).body
      const { traits } = await row(id)
      await server.db.query(PUT_ROW, [id, traits!.replace(/"free": 1/, `"free": ${deep}`), deep])
      const before = await row(id)
      const { headers } = await signIn(id)
      const same = async () => assert.deepEqual(await row(id), before)
      await admin('PATCH', `/identities/${id}`, '[{"op":"replace","path":"/state","value":"inactive"}]')
      await same()
      await admin('PATCH', `/identities/${id}`, '[{"op":"replace","path":"/state","value":"active"}]')
      await same()
      await native('settings', JSON.stringify({ method: 'password', password: `${PASSWORD}-2` }), headers)
      await same()
      await admin('PATCH', `/identities/${id}`, '[{"op":"replace","path":"/metadata_admin","value":1.50}]')
      assert.deepEqual(await row(id), { ...before, metadata_admin: '1.50' })
    })

    test('numbers that no database holds are refused with a sentence', async () => {
      const many = Array(9).fill('1e9999').join()
      for (const value of ['1e131072', '1e-16384', '1e99999999999', '9'.repeat(20_000), `[${many}]`]) {
        const reply = await new Client(server).send('POST', `${server.adminUrl}/admin/identities`, {
          body: person('1', value, 'null'),
        })
        assert.deepEqual([reply.status, /too long/.test(reply.body.error.reason)], [400, true], value.slice(0, 20))
      }
      await admin('POST', '/identities', person('1e9999', '1e-9999', '9'.repeat(16_000)))
    })
  })
}
