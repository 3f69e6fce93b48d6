import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatTime } from '../../../src/kernel/base/clock.ts'
import { HttpError } from '../../../src/kernel/http/errors.ts'
import { keysetLinks, parseKeysetPage } from '../../../src/kernel/http/lists/keyset.ts'
import fc from '../../helpers/fast-check.ts'

const ID = '11111111-2222-4333-8444-555555555555'
const parse = (query: string) => parseKeysetPage(new URLSearchParams(query))
const of = (text: string) =>
  `page_token=${encodeURIComponent(Buffer.from(text).toString('base64').replaceAll('=', ''))}`
const refuses = (query: string, words: RegExp) =>
  assert.throws(
    () => parse(query),
    (error) => {
      return error instanceof HttpError && error.status === 400 && words.test(error.reason ?? error.message)
    },
    query,
  )

function linked(header: string): Record<string, string> {
  return Object.fromEntries([...header.matchAll(/\?([^>]*)>; rel="(\w+)"/g)].map(([, query, rel]) => [rel, query!]))
}

describe('pages by key', () => {
  test('a token names its row to the microsecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 7_000_000_000_000_000 }), fc.uuid(), (micros, id) => {
        const key = { createdAt: formatTime(micros), id }
        const { next } = linked(keysetLinks('/s', new URLSearchParams('active=true'), 7, key))
        assert.deepEqual(parse(next!), { size: 7, after: key })
        assert.equal(new URLSearchParams(next).get('active'), 'true')
      }),
    )
  })

  test('a token of Kratos is read, its two parts in either order', () => {
    const after = { createdAt: '2026-11-22T14:43:19.12345Z', id: ID }
    assert.deepEqual(parse(of(`created_at=2026-11-22 14:43:19.12345/id=${ID}`)).after, after)
    assert.deepEqual(parse(of(`id=${ID}/created_at=2026-11-22 14:43:19.12345`)).after, after)
  })

  test('the first page comes before every row, and the last has no next', () => {
    const links = linked(keysetLinks('/s', new URLSearchParams(), 5, undefined))
    assert.deepEqual(Object.keys(links), ['first'])
    assert.deepEqual(parse(links.first!), { ...parse(''), size: 5 })
    assert.equal(parse('').after.createdAt, '2200-12-31T23:59:59Z')
  })

  test('a size is at most 1000; none, zero and less mean 250', () => {
    const sizes = ['', 'page_size=', 'page_size=0', 'page_size=-3', 'page_size=20', `page_size=${'9'.repeat(400)}`]
    assert.deepEqual(
      sizes.map((query) => parse(query).size),
      [250, 250, 250, 250, 20, 1000],
    )
  })

  test('what no token can hold is refused before it reaches a database', () => {
    for (const query of [
      'page_token=notatoken',
      'page_token=%00',
      'page_token=a-b_',
      'page_size=abc',
      'page_size=1.5',
    ]) {
      refuses(query, /could not parse parameter page_size/)
    }
    for (const text of [
      'hello',
      `id=${ID}`,
      'created_at=2026-11-22 14:43:19',
      `created_at=2026-99-22 14:43:19/id=${ID}`,
      `created_at=0000-01-01 00:00:00/id=${ID}`,
      `created_at=1969-12-31 23:59:59/id=${ID}`,
      `created_at=now/id=${ID}`,
      `created_at=2026-11-22 14:43:19/id=${ID}\0`,
      'created_at=2026-11-22 14:43:19/id=1 or 1=1',
    ]) {
      refuses(of(text), /not one that this server gave out/)
    }
  })
})
