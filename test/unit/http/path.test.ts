import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyRequest } from 'fastify'
import { HttpError } from '../../../src/kernel/http/errors.ts'
import { pathUuid } from '../../../src/kernel/http/path.ts'

const ID = '11111111-2222-4333-8444-5555aaaabbbb'
const read = (id: string) => pathUuid({ params: { id } } as unknown as FastifyRequest, 'id')

test('every spelling of a UUID is brought to one form', () => {
  const plain = ID.replaceAll('-', '')
  for (const text of [ID, ID.toUpperCase(), plain, `{${ID}}`, `{${plain}}`, `urn:uuid:${ID}`, `urn:uuid:${plain}`]) {
    assert.equal(read(text), ID, text)
  }
})

test('anything else is 400', () => {
  for (const text of ['', 'BADUUID', `${ID}\0`, `${ID}a`, `{${ID}`, `${ID}}`, ID.replace('-', ''), `${ID}\n`, '../x']) {
    assert.throws(
      () => read(text),
      (error) => error instanceof HttpError && error.status === 400,
      JSON.stringify(text),
    )
  }
})
