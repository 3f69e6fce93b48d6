import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { createSchemas, type SchemaConfig } from '../../../src/identities/schema/schemas.ts'
import { base64Url, CLIENTS, schemaConfig, traitsSchema } from './schema-config.ts'

const GOOD = traitsSchema({ email: { type: 'string' } })
const at = (url: string, http: Partial<SchemaConfig['clients']['http']> = {}): SchemaConfig => ({
  identity: { default_schema_id: 'x', schemas: [{ id: 'x', url }] },
  clients: { http: { ...CLIENTS.http, ...http } },
})

function folder(t: TestContext, files: Record<string, unknown>): string {
  const path = mkdtempSync(join(tmpdir(), 'lethe-schemas-'))
  t.after(() => rmSync(path, { recursive: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), JSON.stringify(content))
  return path
}

/** A server that gives these answers, one after the other. */
async function server(t: TestContext, answers: { status: number; body: string }[]) {
  const asked: string[] = []
  const http = createServer((req, res) => {
    asked.push(req.url ?? '')
    const { status, body } = answers[Math.min(asked.length, answers.length) - 1]!
    res.writeHead(status).end(body)
  })
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done))
  t.after(() => void http.close())
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/schema.json`, asked }
}

describe('where schemas come from', () => {
  test('a file, relative to the working directory or not', async (t) => {
    const cwd = folder(t, { 'x y.json': GOOD })
    for (const url of ['file://./x y.json', 'file://x y.json', 'file://x%20y.json', `file://${cwd}/x y.json`]) {
      assert.deepEqual((await createSchemas(at(url), cwd)).default.document, GOOD)
    }
  })

  test('base64', async () => assert.deepEqual((await createSchemas(at(base64Url(GOOD)), '/')).default.document, GOOD))

  test('HTTP, tried again after a failure of the server', async (t) => {
    const web = await server(t, [
      { status: 503, body: '' },
      { status: 200, body: JSON.stringify(GOOD) },
    ])
    assert.deepEqual((await createSchemas(at(web.url), '/')).default.document, GOOD)
    assert.equal(web.asked.length, 2)
  })

  test('HTTP, at once given up when asking again cannot help', async (t) => {
    const missing = await server(t, [{ status: 404, body: '' }])
    await assert.rejects(createSchemas(at(missing.url), '/'), /status 404/)
    assert.equal(missing.asked.length, 1)
    const huge = await server(t, [{ status: 200, body: 'x'.repeat(1024 * 1024 + 1) }])
    await assert.rejects(createSchemas(at(huge.url), '/'), /larger than 1048576 bytes/)
  })

  test('private addresses are not asked when that is forbidden, but for the exceptions', async (t) => {
    const web = await server(t, [{ status: 200, body: JSON.stringify(GOOD) }])
    const named = web.url.replace('127.0.0.1', 'localhost')
    for (const url of [web.url, named]) {
      const strict = at(url, { disallow_private_ip_ranges: true })
      await assert.rejects(createSchemas(strict, '/'), /its address is private/)
    }
    assert.deepEqual(web.asked, [])
    const allowed = { disallow_private_ip_ranges: true, private_ip_exception_urls: [web.url] }
    assert.equal((await createSchemas(at(web.url, allowed), '/')).default.id, 'x')
  })
})

describe('schemas that cannot be used are named at start', () => {
  const refused: [string, unknown, RegExp][] = [
    ['no traits', { type: 'object', properties: {} }, /must have required property 'traits'/],
    ['no properties', { type: 'object' }, /must have required property 'properties'/],
    ['empty traits', traitsSchema({}), /fewer than 1 properties/],
    [
      'traits that are no object',
      { properties: { traits: { type: 'string', properties: { a: {} } } } },
      /traits\/type/,
    ],
    ['no JSON schema', traitsSchema({ a: { type: 'text' } }), /\/properties\/traits\/properties\/a/],
    ['a list', [], /must be object/],
    ['an odd extension', traitsSchema({ a: { 'ory.sh/kratos': { credentials: { magic: {} } } } }), /magic/],
    ['an odd channel', traitsSchema({ a: { 'ory.sh/kratos': { recovery: { via: 'fax' } } } }), /email, sms/],
    [
      'a format that cannot be verified',
      traitsSchema({ a: { type: 'string', format: 'uri', 'ory.sh/kratos': { verification: { via: 'email' } } } }),
      /no-validate/,
    ],
    [
      'a reference to nothing',
      traitsSchema({ a: { $ref: '#/definitions/none' } }),
      /"#\/definitions\/none" names nothing/,
    ],
    ['a reference that cannot be loaded', traitsSchema({ a: { $ref: 'file://./none.json' } }), /no such file/],
    ['a broken pattern', traitsSchema({ a: { type: 'string', pattern: '(' } }), /pattern "\(" cannot be read/],
    ['no JSON', '{', /is not JSON/],
  ]
  for (const [name, document, reason] of refused) {
    test(name, async () => {
      const config = schemaConfig({ first: GOOD, second: document })
      await assert.rejects(createSchemas(config, '/'), (error: Error) => {
        assert.match(error.message, reason)
        return (
          error.name === 'SchemaLoadError' && error.message.startsWith('identity.schemas[1] (id "second", base64://…) ')
        )
      })
    })
  }

  test('addresses that cannot be read', async () => {
    const urls: [string, RegExp][] = [
      ['file:///none.json', /no such file/],
      ['base64://%%%', /is not base64/],
      ['ftp://x/y', /no scheme that can be read/],
      ['schema.json', /no scheme that can be read/],
    ]
    for (const [url, reason] of urls) await assert.rejects(createSchemas(at(url), '/'), reason)
  })

  test('passwords in an address are not shown', async () => {
    const url = 'https://user:secret@127.0.0.1/x'
    const failing = createSchemas(at(url, { disallow_private_ip_ranges: true }), '/')
    await assert.rejects(failing, (error: Error) => !error.message.includes('secret'))
  })

  test('ids that are used twice, or a default that is not there', async () => {
    const { identity } = schemaConfig({ x: GOOD })
    const twice = { ...identity, schemas: [...identity.schemas, ...identity.schemas] }
    await assert.rejects(createSchemas({ identity: twice, clients: CLIENTS }, '/'), /used twice/)
    const lost = { ...identity, default_schema_id: 'y' }
    await assert.rejects(createSchemas({ identity: lost, clients: CLIENTS }, '/'), /"y" is not among .*"x"/)
  })
})

describe('references', () => {
  test('lead into definitions, the document itself, and other documents', async (t) => {
    const cwd = folder(t, {
      'name.json': { definitions: { name: { type: 'string', maxLength: 3 }, own: { $ref: '#/definitions/name' } } },
    })
    const document = {
      $id: 'https://example.test/person.json',
      ...traitsSchema({
        own: { $ref: '#/definitions/short' },
        absolute: { $ref: 'https://example.test/person.json#/definitions/short' },
        other: { $ref: `file://${cwd}/name.json#/definitions/own` },
        friends: { type: 'array', items: { $ref: '#/properties/traits' } },
      }),
      definitions: { short: { type: 'string', maxLength: 3 } },
    }
    const schema = (await createSchemas(schemaConfig({ x: document }), '/')).default
    assert.deepEqual(schema.validate({ own: 'abc', absolute: 'abc', other: 'abc', friends: [{ own: 'abc' }] }), [])
    const found = schema.validate({ own: 'long', absolute: 'long', other: 'long', friends: [{ own: 'long' }] })
    assert.deepEqual(
      found.map(({ path, message }) => [path, message.id]),
      ['own', 'absolute', 'other', 'friends.0.own'].map((name) => [`traits.${name}`, 4000017]),
    )
    const result = schema.derive({ own: 'long' })
    assert.equal(
      result.kind === 'failure' && result.reason,
      [
        'I[#/traits/own] S[#/properties/traits/properties/own/$ref] doesn\'t validate with "#/definitions/short"',
        '  I[#/traits/own] S[#/definitions/short/maxLength] length must be <= 3, but got 4',
      ].join('\n'),
    )
  })

  test('a schema that refers to itself without end breaks every value, and does not hang', async () => {
    const looping = traitsSchema({ a: { $ref: '#/definitions/a' } })
    const document = { ...looping, definitions: { a: { allOf: [{ $ref: '#/definitions/a' }] } } }
    const schema = (await createSchemas(schemaConfig({ x: document }), '/')).default
    assert.match(schema.validate({ a: 1 })[0]!.message.text, /without end/)
    assert.deepEqual(schema.validate({}), [])
  })
})
