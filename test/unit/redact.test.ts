import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redact } from '../../src/kernel/base/log.ts'

test('passwords of addresses and tokens are taken out of a text, the advice on how to write them is not', () => {
  const advice = 'use postgres://USER:PASSWORD@HOST:PORT/DATABASE, pglite://DIR or memory'
  assert.equal(redact(advice), advice)
  assert.equal(redact('postgres://lethe:s3cret@db:5432/x'), 'postgres://lethe:[redacted]@db:5432/x')
  assert.equal(redact('postgres://USER:PASSWORDx@HOST/x'), 'postgres://USER:[redacted]@HOST/x')
  assert.equal(redact(`token ory_st_${'a'.repeat(32)}.`), 'token [redacted].')
})
