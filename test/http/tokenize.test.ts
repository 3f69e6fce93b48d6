import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { createLocalJWKSet, decodeJwt, exportJWK, generateKeyPair, type JWK, jwtVerify } from 'jose'
import { createTokenTemplates } from '../../src/tokens/templates.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'

const program = (text: string) => `base64://${Buffer.from(text).toString('base64')}`
const base64 = (value: unknown) => `base64://${Buffer.from(JSON.stringify(value)).toString('base64')}`
const templates = (entries: Record<string, unknown>) => ({ session: { whoami: { tokenizer: { templates: entries } } } })

async function keySet(alg: string) {
  const jwk = (jwk: JWK) => ({ ...jwk, alg, kid: `kid-${alg}` })
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const verify = createLocalJWKSet({ keys: [jwk(await exportJWK(publicKey))] })
  return { url: base64({ keys: [jwk(await exportJWK(privateKey))] }), verify }
}

async function tokenize(server: TestServer, name: string, headers: Record<string, string>) {
  const answer = await fetch(`${server.publicUrl}/sessions/whoami?tokenize_as=${name}`, { headers })
  const body = (await answer.json()) as { id: string; tokenized?: string; error?: { reason: string } }
  return { status: answer.status, headers: answer.headers, body }
}

describe('a token for a session', () => {
  for (const alg of ['ES256', 'ES512', 'RS256', 'PS256', 'EdDSA']) {
    test(`${alg}: claims and header as Kratos makes them`, async (t) => {
      const { url, verify } = await keySet(alg)
      const server = await testServer(t, { config: templates({ a: { jwks_url: url, ttl: '10m' } }) })
      const { session, headers } = await signedIn(server)
      const before = Math.floor(Date.now() / 1000)
      const { status, body } = await tokenize(server, 'a', headers)
      assert.equal(status, 200)
      assert.equal(body.id, session.id)
      const { payload, protectedHeader } = await jwtVerify(body.tokenized!, verify)
      assert.deepEqual(protectedHeader, { alg, kid: `kid-${alg}`, typ: 'JWT' })
      const { jti, iat, ...rest } = payload
      assert.match(String(jti), /^[0-9a-f-]{36}$/)
      assert.ok(iat! >= before && iat! <= before + 60)
      assert.deepEqual(rest, {
        exp: iat! + 600,
        nbf: iat,
        iss: server.deps.baseUrls.public(),
        sid: session.id,
        sub: session.identity_id,
      })
    })
  }

  test('no claim of a mapper makes it outlast a session that has an absolute end', async (t) => {
    const { url } = await keySet('ES256')
    const exps = ['1e11', '100000000000', '1.5e11', '"never"', 'null', '[]', '1000000000', '1.0']
    const entries = exps.map((exp, i) => [
      `t${i}`,
      { jwks_url: url, claims_mapper_url: program(`{"claims": {"exp": ${exp}}}`) },
    ])
    const server = await testServer(t, {
      config: { ...templates(Object.fromEntries(entries)), lethe: { sessions: { absolute_timeout: '1h' } } },
    })
    const { headers } = await signedIn(server)
    const found = []
    for (const i of exps.keys()) {
      const { body } = await tokenize(server, `t${i}`, headers)
      const end = Date.parse((body as unknown as { expires_at: string }).expires_at) / 1000
      const exp = decodeJwt(body.tokenized!).exp
      found.push(exp === Math.floor(end) ? 'the end of the session' : exp)
    }
    assert.deepEqual(found, [...Array(6).fill('the end of the session'), 1_000_000_000, 1])
  })

  test('a mapper adds and replaces claims, but not whom the token speaks for', async (t) => {
    const { url, verify } = await keySet('ES256')
    const claims = { email: '{{ session.identity.traits.email }}', aud: 'shop', sub: 'somebody else', sid: null }
    const server = await testServer(t, {
      config: templates({ a: { jwks_url: url, claims_mapper_url: base64({ claims }) } }),
    })
    const { session, headers } = await signedIn(server)
    const { body } = await tokenize(server, 'a', headers)
    const { payload } = await jwtVerify(body.tokenized!, verify, { audience: 'shop' })
    assert.deepEqual([payload.email, payload.sub, payload.sid], ['a@example.com', session.identity_id, null])
    assert.equal(payload.exp! - payload.iat!, 60)
  })

  test('a mapper in Jsonnet adds and replaces claims', async (t) => {
    const { url, verify } = await keySet('ES256')
    const mapper = program(`local session = std.extVar('session'), claims = std.extVar('claims');
      { claims: { email: session.identity.traits.email, aud: ['shop'], sub: 'somebody else', was: claims.sub,
        [if session.authenticator_assurance_level == 'aal1' then 'acr']: '1' } }`)
    const server = await testServer(t, { config: templates({ a: { jwks_url: url, claims_mapper_url: mapper } }) })
    const { session, headers } = await signedIn(server)
    const { body } = await tokenize(server, 'a', headers)
    const { payload } = await jwtVerify(body.tokenized!, verify, { audience: 'shop' })
    const { email, sub, was, acr, sid } = payload
    assert.deepEqual(
      { email, sub, was, acr, sid },
      { email: 'a@example.com', sub: session.identity_id, was: session.identity_id, acr: '1', sid: session.id },
    )
  })

  test('what cannot be made is refused, never answered without the token', async (t) => {
    const { url } = await keySet('ES256')
    const keys = { keys: [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', alg: 'ES256' }] }
    const server = await testServer(t, {
      config: templates({
        public_key: { jwks_url: base64(keys) },
        away: { jwks_url: 'http://127.0.0.1:1/keys.json' },
        text: { jwks_url: url, claims_mapper_url: base64({ claims: { a: 'x{{ session.identity.traits }}' } }) },
        jsonnet: { jwks_url: url, claims_mapper_url: program("{claims: {a: std.extVar('session').nope}}") },
        external: { jwks_url: url, subject_source: 'external_id' },
      }),
    })
    const { headers } = await signedIn(server)
    for (const [name, status, reason] of [
      ['public_key', 400, /decode the given private key/],
      ['away', 503, /key set of tokenizer template "away" cannot be read/],
      ['text', 400, /claims mapper of tokenizer template "text"/],
      ['jsonnet', 400, /claims mapper of tokenizer template "jsonnet": mapper:1:36: Field does not exist: nope\./],
      ['external', 400, /does not have an external ID/],
      ['__proto__', 400, /Unable to find tokenizer template "__proto__"/],
    ] as const) {
      const answer = await tokenize(server, name, headers)
      assert.equal(answer.status, status, name)
      assert.match(answer.body.error!.reason, reason)
      assert.equal(answer.body.tokenized, undefined)
    }
    assert.equal((await tokenize(server, '', headers)).status, 200)
    assert.doesNotMatch(server.logs(), /"d":/)
  })

  test('an answer with a token is not to be kept as long as the session', async (t) => {
    const server = await testServer(t, { wireConfig: 'tokenizer-cached' })
    const { headers } = await signedIn(server)
    assert.equal((await tokenize(server, 'es256', headers)).headers.get('ory-session-cache-for'), null)
    assert.notEqual((await tokenize(server, '', headers)).headers.get('ory-session-cache-for'), null)
  })

  test('a changed configuration brings new templates', async (t) => {
    const { url } = await keySet('ES256')
    const server = await testServer(t, { config: templates({ a: { jwks_url: url } }) })
    const { headers } = await signedIn(server)
    await server.reconfigure(templates({ a: null, b: { jwks_url: url } }))
    assert.equal((await tokenize(server, 'a', headers)).status, 400)
    assert.equal((await tokenize(server, 'b', headers)).status, 200)
  })
})

describe('key sets over HTTP', () => {
  test('are read when needed, and not from private addresses where those are closed', async (t) => {
    const { url, verify } = await keySet('ES256')
    const document = Buffer.from(url.slice('base64://'.length), 'base64').toString()
    let asked = 0
    const source = createServer((_req, res) => {
      asked += 1
      res.end(document)
    })
    await new Promise<void>((resolve) => source.listen(0, '127.0.0.1', resolve))
    t.after(() => source.close())
    const from = `http://127.0.0.1:${(source.address() as AddressInfo).port}/keys.json`
    const server = await testServer(t, { config: templates({ a: { jwks_url: from } }) })
    const { headers } = await signedIn(server)
    assert.equal(asked, 0)
    await jwtVerify((await tokenize(server, 'a', headers)).body.tokenized!, verify)
    await tokenize(server, 'a', headers)
    assert.equal(asked, 1)
    await server.reconfigure({ clients: { http: { disallow_private_ip_ranges: true } } })
    assert.equal((await tokenize(server, 'a', headers)).status, 503)
    assert.equal(asked, 1)
  })
})

describe('templates that cannot be used are named before a port opens', () => {
  const clients = { http: { disallow_private_ip_ranges: false, private_ip_exception_urls: [] } }
  const entry = { ttl: 60_000, subject_source: 'id' as const }
  const create = (template: { jwks_url: string; claims_mapper_url?: string }) =>
    createTokenTemplates(
      { clients, session: { whoami: { tokenizer: { templates: { shop: { ...entry, ...template } } } } } },
      '/nonexistent',
      () => 0,
    )

  test('a mapper that is no program refuses the start', () =>
    assert.rejects(
      create({ jwks_url: 'https://keys.example/', claims_mapper_url: program('{claims: {a: b}}') }),
      /shop\.claims_mapper_url \(base64:\/\/…\) mapper:1:14: Unknown variable: b/,
    ))

  test('a mapper that may fail is told', async () => {
    const { doubts } = await create({
      jwks_url: 'https://keys.example/',
      claims_mapper_url: program('{claims: {a: std.nope}}'),
    })
    assert.deepEqual(doubts, [
      {
        key: 'session.whoami.tokenizer.templates.shop.claims_mapper_url',
        reason: 'base64://… mapper:1:18: std.nope does not exist',
      },
    ])
  })

  for (const [what, template, key, reason] of [
    [
      'a missing file',
      { jwks_url: 'file://keys.json' },
      'jwks_url',
      /file:\/\/keys\.json cannot be read: no such file/,
    ],
    ['a set that is not JSON', { jwks_url: 'base64://eA==' }, 'jwks_url', /base64:\/\/… is not JSON/],
    [
      'a mapper that is not there',
      { jwks_url: 'https://keys.example/', claims_mapper_url: 'file://mapper.json' },
      'claims_mapper_url',
      /no such file/,
    ],
  ] as const) {
    test(`${what} is told, and does not keep the server from starting`, async () => {
      const { unread, get } = await create(template)
      assert.deepEqual(
        unread.map((document) => document.key),
        [`session.whoami.tokenizer.templates.shop.${key}`],
      )
      assert.match(unread[0]!.reason, reason)
      assert.ok(get('shop'))
    })
  }
})
