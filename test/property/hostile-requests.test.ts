import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { apiDocument } from '../../src/api.ts'
import { createPerson, signInNative } from '../helpers/client.ts'
import { postgres, type Scope } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

/**
 * Every operation of both ports, with hostile text wherever a request has room for it: no answer is a 5xx, and the CPU
 * time of the process grows no faster than the text does.
 */
const KB = 1024
const HEADERS = [4 * KB, 14 * KB]
const BODIES = [16 * KB, 64 * KB]
/** A `Link` header repeats the query for each page that it names. */
const ANSWER_HEADERS = 256 * KB
const FLOOR_MS = 150
/** Both are about four times as long: what is quadratic takes sixteen times as long. */
const RATIO = 9

interface Sent {
  method: string
  url: string
  headers: Record<string, string>
  body?: string
}
type Hostile = (size: number) => Partial<Sent> & { query?: string }

const repeat = (text: string, size: number) => text.repeat(Math.ceil(size / text.length)).slice(0, size)
const header =
  (name: string, unit: string): Hostile =>
  (size) => ({ headers: { [name]: repeat(unit, size) } })
const body =
  (type: string, make: (size: number) => string): Hostile =>
  (size) => ({
    headers: { 'content-type': type },
    body: make(size),
  })
const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'
const texts = (value: string) => ({
  identifier: value,
  password: value,
  method: 'password',
  traits: value,
  token: value,
})

const IN_HEADERS: Record<string, Hostile> = {
  ...Object.fromEntries(
    [
      'accept',
      'cookie',
      'authorization',
      'user-agent',
      'x-forwarded-for',
      'x-session-token',
      'content-type',
      'if-none-match',
      'origin',
      'x-request-id',
      'last-event-id',
    ].flatMap((name) =>
      ['a,', ' \ta', '=;', '"\\', 'ory_st_'].map((unit) => [`${name} of ${JSON.stringify(unit)}`, header(name, unit)]),
    ),
  ),
  'many cookies of the session': (size) => ({ headers: { cookie: repeat('ory_kratos_session=MTIz; ', size) } }),
  ...Object.fromEntries(
    ['a=', '&', '%20', '%00', '%ff', 'page_token=', '[0]=', '/..'].map((unit) => [
      `a query of ${JSON.stringify(unit)}`,
      (size: number) => ({
        query: `page_token=${repeat(unit, size)}&return_to=${repeat(unit, size / 2)}&id=${repeat(unit, 64)}`,
      }),
    ]),
  ),
}
const IN_BODIES: Record<string, Hostile> = {
  'JSON of blanks in texts': body(JSON_TYPE, (size) => JSON.stringify(texts(`a${' '.repeat(size / 6)}a`))),
  'JSON of items': body(JSON_TYPE, (size) =>
    JSON.stringify({ ...texts('x'), traits: { email: 1, tags: Array(size / 8).fill(1) } }),
  ),
  'JSON of members': body(JSON_TYPE, (size) =>
    JSON.stringify({
      ...texts('x'),
      traits: Object.fromEntries(Array.from({ length: size / 16 }, (_, i) => [`n${i}`, 1])),
    }),
  ),
  'JSON of levels': body(JSON_TYPE, (size) => `{"a":${'['.repeat(size / 2)}`),
  'JSON in a text': body(JSON_TYPE, (size) =>
    JSON.stringify({ ...texts('x'), traits: `{"a":"\\u0000${'['.repeat(size / 2)}"}` }),
  ),
  'a patch': body(JSON_TYPE, (size) =>
    JSON.stringify(Array(Math.ceil(size / 64)).fill({ op: 'add', path: '/traits/a/0', value: 1 })),
  ),
  'a form of fields': body(FORM_TYPE, (size) => repeat('a=1&', size)),
  'a form of escapes': body(
    FORM_TYPE,
    (size) => `method=password&traits.email=${repeat('%20', size)}&traits.age=${repeat('1', size)}x`,
  ),
  'a multipart form': body('multipart/form-data; boundary=x', (size) =>
    repeat('--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n', size),
  ),
}

/** Streams have no end; what they take is what others take. */
const ENDLESS = /stream/

describe('requests that mean harm', () => {
  let server: TestServer
  let token: string
  let ids: { identity: string; session: string }
  const endings: (() => Promise<void>)[] = []
  const scope: Scope = { after: (work) => void endings.push(work) }
  before(async () => {
    server = await testServer(scope, { backend: postgres })
    const person = await createPerson(server)
    const signedIn = await signInNative(server, person)
    token = signedIn.token
    ids = { identity: person.identityId, session: signedIn.sessionId }
  })
  after(async () => {
    for (const work of endings.reverse()) await work()
  })

  function send({ method, url, headers, body }: Sent): Promise<number> {
    return new Promise((resolve, reject) => {
      const req = request(
        url,
        { method, maxHeaderSize: ANSWER_HEADERS, headers: { accept: JSON_TYPE, 'x-session-token': token, ...headers } },
        (res) => {
          res.resume()
          res.on('end', () => resolve(res.statusCode!))
          res.on('error', reject)
        },
      )
      req.on('error', reject)
      req.end(body)
    })
  }

  /** @returns CPU time of all that the process did for it */
  async function cost(sent: Sent, what: string): Promise<number> {
    const start = process.cpuUsage()
    const status = await send(sent)
    const { user, system } = process.cpuUsage(start)
    assert.ok(status < 500 || status === 503, `${what}: ${status}`)
    return (user + system) / 1000
  }

  const { paths } = apiDocument('test') as unknown as { paths: Record<string, Record<string, object>> }
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) {
      if (ENDLESS.test(path)) continue
      test(`${method} ${path}`, async () => {
        const base = path.startsWith('/admin') ? server.adminUrl : server.publicUrl
        // Nothing of ours may end by it: a session that lives stays the caller's.
        const target =
          base +
          path
            .replace('{id}', method === 'get' ? ids.identity : '11111111-2222-4333-8444-555555555555')
            .replace(/\{\w+\}/g, 'x')
        const plain: Sent = { method: method.toUpperCase(), url: target, headers: {} }
        const room = { ...IN_HEADERS, ...(['post', 'put', 'patch', 'delete'].includes(method) ? IN_BODIES : {}) }
        for (const [what, make] of Object.entries(room)) {
          const sizes = what in IN_BODIES ? BODIES : HEADERS
          const [small, large] = sizes.map((size): Sent => {
            const { query, headers = {}, ...more } = make(size)
            return { ...plain, ...more, headers, url: query === undefined ? target : `${target}?${query}` }
          }) as [Sent, Sent]
          let now = await cost(large, what)
          for (let tries = 0, before = 0; now > FLOOR_MS; tries++) {
            before = Math.max(before, await cost(small, what))
            if (now / before <= RATIO) break
            assert.ok(tries < 3, `${what}: ${before} ms, then ${now} ms`)
            now = Math.min(now, await cost(large, what))
          }
        }
        for (const unit of ['%00', '%ff', '%2f..', 'a ', '=', '%ed%a0%80']) {
          if (!path.includes('{')) continue
          const hostile = base + path.replace(/\{\w+\}/g, encodeURI(repeat(unit, 4000)).replaceAll('%25', '%'))
          await cost({ ...plain, url: hostile }, `a path of ${unit}`)
        }
      })
    }
  }
})
