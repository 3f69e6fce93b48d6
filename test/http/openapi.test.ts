import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiDocument } from '../../src/api.ts'
import { LETHE_VERSION } from '../../src/kernel/base/version.ts'
import { testServer } from '../helpers/server.ts'

test('the document is served on both ports, may be kept, and asks nothing of a browser', async (t) => {
  const server = await testServer(t)
  for (const url of [
    `${server.publicUrl}/openapi.json`,
    `${server.adminUrl}/openapi.json`,
    `${server.adminUrl}/admin/openapi.json`,
  ]) {
    const answer = await fetch(url)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('cache-control'), 'public, max-age=300')
    assert.equal(answer.headers.get('set-cookie'), null)
    assert.deepEqual(await answer.json(), JSON.parse(JSON.stringify(apiDocument(LETHE_VERSION))))
    const again = await fetch(url, { headers: { 'if-none-match': `W/"other", ${answer.headers.get('etag')}` } })
    assert.equal(again.status, 304)
    assert.equal((await fetch(url, { headers: { 'if-none-match': '"other"' } })).status, 200)
  }
})
