import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { Client, createPerson, type Person, signInNative } from '../helpers/client.ts'
import { postgres, type Scope } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

/** More than a page may hold, together; a single one is more than a new identity may be. */
const PEOPLE = 12
const BYTES = 1_000_000
const PAGE_BYTES = 5_000_000
const grow = sql(
  'test.grow_list_bytes',
  "update identities set traits = traits || jsonb_build_object('note', repeat('x', $1::int))",
)

describe('pages of lists are bounded in bytes, and go on where they were cut', () => {
  let server: TestServer
  const people: Person[] = []
  let token: string
  const endings: (() => Promise<void>)[] = []
  const scope: Scope = { after: (work) => void endings.push(work) }
  before(async () => {
    server = await testServer(scope, { backend: postgres })
    for (let i = 0; i < PEOPLE; i++) people.push(await createPerson(server))
    for (const person of people) await signInNative(server, person)
    for (let i = 0; i < PEOPLE; i++) token = (await signInNative(server, people[0]!)).token
    await server.db.query(grow, [BYTES])
  })
  after(async () => {
    for (const work of endings.reverse()) await work()
  })

  /** The ids of all rows, page by page along the links to the next. */
  async function walk(url: string, headers: Record<string, string> = {}): Promise<string[][]> {
    const pages: string[][] = []
    for (let next: string | undefined = url; next !== undefined && pages.length < 100; ) {
      const reply = await new Client(server).get(next, headers)
      assert.equal(reply.status, 200, reply.text.slice(0, 200))
      assert.ok(reply.text.length < PAGE_BYTES, String(reply.text.length))
      pages.push(reply.body.map(({ id }: { id: string }) => id))
      const link = /<([^>]*)>; rel="next"/.exec(reply.headers.get('link') ?? '')?.[1]
      next = link === undefined ? undefined : new URL(link, url).href
    }
    return pages
  }
  const admin = (path: string) => `${server.adminUrl}/admin${path}`

  const assertWhole = (pages: string[][], count: number) => {
    const ids = pages.flat()
    assert.deepEqual([ids.length, new Set(ids).size], [count, count])
    assert.ok(pages.length > 1 && pages.every((page) => page.length > 0))
  }

  test('identities', async () => {
    assertWhole(await walk(admin('/identities?page_size=250')), PEOPLE)
    assertWhole(await walk(admin('/identities?page_size=250&include_credential=password')), PEOPLE)
    assert.equal((await walk(admin(`/identities?ids=${people[0]!.identityId}`))).flat().length, 1)
  })

  test('a numbered page that does not fit says what to do instead', async () => {
    const reply = await new Client(server).get(admin('/identities?page=0&per_page=250'))
    assert.equal(reply.status, 400)
    assert.match(reply.body.error.reason, /page_token/)
    assert.equal((await new Client(server).get(admin('/identities?page=0&per_page=2'))).body.length, 2)
  })

  test('sessions of everybody, with their identities', async () => {
    assertWhole(await walk(admin('/sessions?page_size=250&expand=identity')), 2 * PEOPLE)
    assert.deepEqual(
      (await walk(admin('/sessions?page_size=250'))).map((page) => page.length),
      [2 * PEOPLE],
    )
  })

  test('sessions of one identity', async () => {
    const own = `/identities/${people[0]!.identityId}/sessions`
    assertWhole(await walk(admin(`${own}?page_size=250`)), PEOPLE + 1)
    assertWhole(await walk(`${server.publicUrl}/sessions?page_size=250`, { 'x-session-token': token }), PEOPLE)
    assertWhole(await walk(`${server.publicUrl}/sessions?per_page=250`, { 'x-session-token': token }), PEOPLE)
  })
})
