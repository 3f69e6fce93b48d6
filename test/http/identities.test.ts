import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Scope } from '../helpers/db.ts'
import { testServer } from '../helpers/server.ts'

interface Answer {
  status: number
  headers: Headers
  body: any
}

async function adminOf(t: Scope, options: Parameters<typeof testServer>[1] = {}) {
  const server = await testServer(t, options)
  const ask = async (method: string, path: string, body?: unknown, type = 'application/json'): Promise<Answer> => {
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
    const url = path.startsWith('/public') ? `${server.publicUrl}${path.slice(7)}` : `${server.adminUrl}${path}`
    const answer = await fetch(url, { method, headers: { 'content-type': type }, redirect: 'manual', ...sent })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) }
  }
  const create = async (name: string, more: object = {}): Promise<string> => {
    const answer = await ask('POST', '/admin/identities', { traits: { email: `${name}@example.org` }, ...more })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    return answer.body.id
  }
  return { ask, create, server }
}

describe('identities over HTTP', () => {
  test('the same with and without the prefix', async (t) => {
    const { ask, create, server } = await adminOf(t)
    const id = await create('ada')
    const [long, short] = [await ask('GET', `/admin/identities/${id}`), await ask('GET', `/identities/${id}`)]
    assert.deepEqual(short.body, long.body)
    assert.equal(long.body.schema_url, `${server.publicUrl}/schemas/ZGVmYXVsdA`)
    assert.equal((await ask('HEAD', `/admin/identities/${id}`)).status, 200)
  })

  test('hashes are shown to those who ask for them by name', async (t) => {
    const { ask, create } = await adminOf(t)
    const id = await create('ada', { credentials: { password: { config: { password: 'correct horse' } } } })
    const paths = [`/admin/identities/${id}`, '/admin/identities', `/admin/identities?ids=${id}`]
    for (const path of paths) {
      assert.ok(!JSON.stringify((await ask('GET', path)).body).includes('hashed_password'), path)
      const shown = await ask('GET', `${path}${path.includes('?') ? '&' : '?'}include_credential=password`)
      assert.match(JSON.stringify(shown.body), /"hashed_password":"\$2a\$/)
    }
    const patched = await ask('PATCH', `/admin/identities/${id}`, [{ op: 'add', path: '/metadata_admin', value: 1 }])
    assert.equal(patched.body.metadata_admin, 1)
    assert.ok(!JSON.stringify(patched.body).includes('hashed_password'))
  })

  test('the links of a list lead through all of it', async (t) => {
    const { ask, create } = await adminOf(t)
    const ids = new Set<string>()
    for (const name of ['a', 'b', 'c', 'd', 'e']) ids.add(await create(name))
    const seen: string[] = []
    let path: string | undefined = '/admin/identities?page_size=2'
    while (path !== undefined) {
      const page: Answer = await ask('GET', path)
      seen.push(...page.body.map((identity: { id: string }) => identity.id))
      path = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1]
    }
    assert.deepEqual(seen, [...ids].sort())
    const numbered = await ask('GET', '/admin/identities?page=1&per_page=2')
    assert.equal(numbered.headers.get('x-total-count'), '5')
    assert.deepEqual(
      numbered.body.map((identity: { id: string }) => identity.id),
      seen.slice(2, 4),
    )
    assert.equal(
      numbered.headers.get('link'),
      [
        ...['</admin/identities?page=0&per_page=2>; rel="first"', '</admin/identities?page=2&per_page=2>; rel="next"'],
        ...['</admin/identities?page=0&per_page=2>; rel="prev"', '</admin/identities?page=2&per_page=2>; rel="last"'],
      ].join(','),
    )
  })

  test('an identity is found by the beginning of its identifier', async (t) => {
    const { ask, create } = await adminOf(t)
    const id = await create('Ada.Lovelace')
    await create('bob')
    const search = (text: string) => ask('GET', `/admin/identities?preview_credentials_identifier_similar=${text}`)
    const found = await search('ADA.')
    assert.deepEqual(
      found.body.map((identity: { id: string }) => identity.id),
      [id],
    )
    assert.deepEqual(found.body[0].credentials.password.identifiers, ['ada.lovelace@example.org'])
    assert.deepEqual((await search('%25')).body, [])
  })

  test('what cannot be read or stored is refused in our words, and nothing is made', async (t) => {
    const { ask, create } = await adminOf(t)
    const id = await create('ada')
    const traits = { email: 'bob@example.org' }
    const refused: [string, string, unknown, RegExp][] = [
      ['POST', '/admin/identities', '{"traits":{"email":"bob@example.org\\u0000"}}', /NUL/],
      ['POST', '/admin/identities', '{"traits":{"email":"\\ud800"}}', /incomplete Unicode/],
      ['POST', '/admin/identities', { traits, name: 'Bob' }, /unknown field "name"/],
      ['POST', '/admin/identities', { traits, credentials: { saml: { config: {} } } }, /credentials\.saml/],
      ['POST', '/admin/identities', { traits, organization_id: 'x' }, /UUID/],
      ['POST', '/admin/identities', { traits, external_id: 1 }, /external_id/],
      ['POST', '/admin/identities', { traits, external_id: 'é'.repeat(65) }, /64/],
      ['POST', '/admin/identities', { traits: [] }, /expected object, but got array/],
      ['POST', '/admin/identities', [], /JSON object/],
      ['POST', '/admin/identities', '{"traits":', /unexpected EOF/],
      ['POST', '/admin/identities', 'traits=x', /not JSON/],
      ['POST', '/admin/identities', address({ verified_at: '1' }), /RFC 3339/],
      ['POST', '/admin/identities', address({ verified_at: '0000-01-01T00:00:00Z' }), /RFC 3339/],
      ['POST', '/admin/identities', address({ status: 'done' }), /status/],
      [
        'PATCH',
        '/admin/identities',
        { identities: [{ create: { traits }, patch_id: '1' }] },
        /patch_id must be a UUID/,
      ],
      ['PATCH', '/admin/identities', { identities: [{ create: { traits, state: 'gone' } }] }, /state is not valid/],
      ['PUT', `/admin/identities/${id}`, { traits, state: 'gone' }, /state is not valid/],
      ['PUT', `/admin/identities/${id}`, '', /Content-Length/],
      [
        'PATCH',
        `/admin/identities/${id}`,
        [{ op: 'add', path: '/traits/email', value: 'no mail' }],
        /not valid "email"/,
      ],
      ['PATCH', `/admin/identities/${id}`, [{ op: 'add', path: '/schema_id', value: 'none' }], /JSON Schema ID: none/],
      ['GET', '/admin/identities?page_size=x', undefined, /not a number/],
      ['GET', '/admin/identities?page_token=x', undefined, /page token/],
      ['GET', '/admin/identities?ids=x', undefined, /Invalid UUID value `x` for parameter `ids`/],
      ['GET', `/admin/identities?ids=${id}&credentials_identifier=x`, undefined, /combine multiple filters/],
      ['GET', '/admin/identities?credentials_identifier=%00', undefined, /cannot be stored/],
      [
        'GET',
        '/admin/identities?include_credential=magic',
        undefined,
        /Invalid value `magic` for parameter `include_credential`/,
      ],
      ['GET', `/admin/identities?${'ids=x&'.repeat(501)}`, undefined, /500/],
    ]
    for (const [method, path, body, text] of refused) {
      const answer = await ask(method, path, body)
      assert.equal(answer.status, 400, `${method} ${path} ${JSON.stringify(body)}`)
      assert.match(`${answer.body.error.reason} ${answer.body.error.message}`, text)
    }
    for (const path of ['by/external/%00', 'none', '%F0%9F', `${id}x`]) {
      assert.ok([400, 404].includes((await ask('GET', `/admin/identities/${path}`)).status), path)
    }
    assert.equal((await ask('GET', '/admin/identities?page=0')).headers.get('x-total-count'), '1')
  })

  test('DELETE with a JSON content type and no body, as SDKs send it', async (t) => {
    const { ask, create } = await adminOf(t)
    assert.equal((await ask('DELETE', `/admin/identities/${await create('ada')}`)).status, 204)
  })

  test('an identity whose schema is gone is still listed', async (t) => {
    const { ask, create, server } = await adminOf(t, { wireConfig: 'multi-schema' })
    await create('ada', { schema_id: 'closed' })
    server.reconfigure({ identity: { schemas: [{ id: 'default', url: schemaUrl(server) }] } })
    const list = await ask('GET', '/admin/identities')
    assert.deepEqual([list.status, list.body[0].schema_id], [200, 'closed'])
  })
})

describe('schemas over HTTP', () => {
  test('a page is the one that its link names', async (t) => {
    const { ask } = await adminOf(t, { wireConfig: 'multi-schema' })
    const ids = async (path: string) => {
      const answer = await ask('GET', path)
      assert.equal(answer.headers.get('x-total-count'), '3')
      return answer.body.map(({ id }: { id: string }) => id)
    }
    assert.deepEqual(await ids('/public/schemas'), ['default', 'rich', 'closed'])
    assert.deepEqual(await ids('/public/schemas?page=1&per_page=1'), ['rich'])
    assert.deepEqual(await ids('/public/schemas?page=2&per_page=2'), [])
  })

  test('where a schema came from is not told', async (t) => {
    const { ask, server } = await adminOf(t)
    for (const path of ['/public/schemas', '/public/schemas/default']) {
      assert.ok(!JSON.stringify((await ask('GET', path)).body).includes(schemaUrl(server).slice(9, 60)))
    }
    assert.equal((await ask('GET', '/public/schemas/%00')).status, 404)
  })
})

function address(more: object) {
  const claim = { value: 'bob@example.org', via: 'email', verified: true, status: 'completed', ...more }
  return { traits: { email: 'bob@example.org' }, verifiable_addresses: [claim] }
}

function schemaUrl(server: Awaited<ReturnType<typeof testServer>>): string {
  return server.deps.config().identity.schemas[0]!.url
}
