import assert from 'node:assert/strict'
import { it } from 'node:test'
import { join } from '../../src/compose/deps.ts'

it('two features cannot provide one name: the later would silently stand for both', () => {
  assert.deepEqual(join({ a: 1 }, { b: 2 }), { a: 1, b: 2 })
  assert.throws(() => join({ a: 1 }, { b: 2 }, { a: 3 }), /two features provide a$/)
})
