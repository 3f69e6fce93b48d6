import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HttpError } from '../../../src/kernel/http/errors.ts'
import { offsetLinks, parseOffsetPage } from '../../../src/kernel/http/lists/pagination.ts'
import fc from '../../helpers/fast-check.ts'

const parse = (query: string) => parseOffsetPage(new URLSearchParams(query))
const token = (offset: number | string) => Buffer.from(`{"offset":"${offset}","v":2}`).toString('base64url')

/** `rel → page,size` of each link, checked to say the same in both of its vocabularies. */
function links(query: string, total: number): Record<string, string> {
  const header = offsetLinks('/sessions', new URLSearchParams(query), parse(query), total)
  return Object.fromEntries(
    [...header.matchAll(/<\/sessions\?([^>]*)>; rel="(\w+)"/g)].map(([, text, rel]) => {
      const params = new URLSearchParams(text)
      const [page, size] = [Number(params.get('page')), Number(params.get('page_size'))]
      assert.equal(params.get('per_page'), String(size))
      assert.equal(params.get('page_token'), token(page * size))
      return [rel, `${page},${size}`]
    }),
  )
}

/** The ways to ask for the first page. */
const START = fc.constantFrom(
  (size: number) => `page_size=${size}`,
  (size: number) => `per_page=${size}`,
  (size: number) => `page=0&per_page=${size}`,
  (size: number) => `page=1&per_page=${size}`,
  (size: number) => `page=1&per_page=3&page_size=${size}`,
)

describe('pages by number', () => {
  test('the links have the page numbers that Kratos was recorded with', () => {
    assert.deepEqual(links('', 0), { first: '0,250', next: '1,250', prev: '-1,250' })
    assert.deepEqual(links('', 2), { first: '0,2' })
    assert.deepEqual(links('per_page=1&page=1', 2), { first: '0,1', prev: '0,1' })
    assert.deepEqual(links('per_page=1&page=3', 2), { first: '0,1', prev: '0,1' })
    assert.deepEqual(links('per_page=-1&page=-1', 2), { next: '1,1', last: '1,1' })
    assert.deepEqual(links('per_page=2&page=2', 9), { first: '0,2', next: '2,2', prev: '0,2', last: '4,2' })
  })

  test('a link keeps the other parameters, and all are sorted by name', () => {
    const query = new URLSearchParams('z=1&active=true&z=2&page=5&b=%3E%0D%0A')
    const header = offsetLinks('/sessions', query, parse('per_page=7'), 3)
    const expected = `b=%3E%0D%0A&page=0&page_size=3&page_token=${token(0)}&per_page=3&z=1&z=2`
    assert.equal(header, `</sessions?active=true&${expected}>; rel="first"`)
  })

  test('page counts from one, and what is no number counts as absent', () => {
    assert.deepEqual(parse('page=0&per_page=10'), { size: 10, page: 0, offset: 0 })
    assert.deepEqual(parse('page=1&per_page=10'), { size: 10, page: 1, offset: 0 })
    assert.deepEqual(parse('page=2&per_page=10'), { size: 10, page: 2, offset: 10 })
    assert.deepEqual(parse('page=xyz&per_page=abc'), { size: 250, page: 0, offset: 0 })
    assert.deepEqual(parse('page=1e3&per_page=100000'), { size: 1000, page: 0, offset: 0 })
    assert.deepEqual(parse('page_token=%00%ff&page_size=%00'), { size: 250, page: 0, offset: 0 })
    assert.deepEqual(parse(`page_token=${token('-250')}`), { size: 250, page: 0, offset: 0 })
  })

  test('a number that would lose its last digits is refused', () => {
    const huge = '9'.repeat(400)
    for (const query of [`page=${huge}`, 'page=9223372036854775807', `page_token=${token('9223372036854775807')}`]) {
      assert.throws(
        () => parse(query),
        (error) => error instanceof HttpError && error.status === 400,
        query,
      )
    }
    assert.equal(parse(`per_page=${huge}`).size, 1000)
  })

  test('a walk along the links meets each row once and comes to an end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 2, max: 20 }), START, (total, size, start) => {
        const seen: number[] = []
        let query: string | undefined = start(size)
        for (let requests = 0; query !== undefined; requests++) {
          assert.ok(requests <= total + 2, 'the walk goes on for ever')
          const page = parse(query)
          for (let row = page.offset; row < Math.min(total, page.offset + page.size); row++) seen.push(row)
          const header: string = offsetLinks('/s', new URLSearchParams(query), page, total)
          query = /<\/s\?([^>]*)>; rel="next"/.exec(header)?.[1]
        }
        assert.deepEqual(seen, [...Array(total).keys()])
      }),
    )
  })
})
