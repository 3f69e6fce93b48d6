import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sql } from '../../../src/kernel/db/client.ts'
import { inOrder } from '../../../src/kernel/db/named.ts'

describe('parameters by name', () => {
  test('are numbered in the order in which they first stand in the text', () => {
    const statement = sql('t.t', 'select a from t where b = :b and c = :a and d = :b')
    assert.equal(statement.text, 'select a from t where b = $1 and c = $2 and d = $1')
    assert.deepEqual(inOrder(statement, { a: 1, b: 2, more: 3 }), [2, 1])
  })

  for (const [what, text] of [
    ['casts', "select '1'::text, a::timestamp(6) from t"],
    ['texts', "select ':a', 'it''s :b', e'\\':c' from t"],
    ['quoted names', 'select ":a" from t'],
    ['comments', 'select 1 -- :a\n from t /* :b */'],
    ['dollar quotes', 'select $$:a$$, $tag$ :b $tag$ from t'],
    ['slices by numbers', 'select a[1:2] from t'],
    ['assignments', 'call f(a := 1)'],
  ] as const)
    test(`are not found in ${what}`, () => assert.deepEqual(sql('t.t', text), { name: 't.t', text }))

  test('stand before and after a cast', () =>
    assert.equal(sql('t.t', 'select :a::uuid, b::text = :b').text, 'select $1::uuid, b::text = $2'))

  test('do not stand beside numbers', () => assert.throws(() => sql('t.t', 'select :a, $1'), /t\.t/))

  test('are all given; null is a value', () => {
    const statement = sql('t.t', 'select :a, :b')
    assert.throws(() => inOrder(statement, { a: 1 }), /t\.t lacks a value for :b/)
    assert.throws(() => inOrder(statement, { a: 1, b: undefined }), /:b/)
    assert.throws(() => inOrder(sql('t.t', 'select :constructor'), {}), /:constructor/)
    assert.deepEqual(inOrder(statement, { a: null, b: 0 }), [null, 0])
    assert.throws(() => inOrder(sql('t.t', 'select $1'), { a: 1 }), /list/)
  })
})
