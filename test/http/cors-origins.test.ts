import assert from 'node:assert/strict'
import { test } from 'node:test'

import { testServer } from '../helpers/server.ts'

test('an origin written otherwise than browsers send it gets its answers, and one that names a page gets none', async (t) => {
  const cors = {
    enabled: true,
    allowed_origins: [
      ...[
        'https://App.example:443/',
        'https://*.inside.example/',
        'http://müller.example',
        'https://only.example/page',
      ],
    ],
  }
  const server = await testServer(t, { config: { serve: { public: { cors } } } })
  const allowed = async (origin: string) => {
    const reply = await fetch(`${server.publicUrl}/sessions/whoami`, { headers: { origin } })
    return reply.headers.get('access-control-allow-origin')
  }
  for (const origin of ['https://app.example', 'https://a.inside.example', 'http://xn--mller-kva.example'])
    assert.equal(await allowed(origin), origin)
  for (const origin of [
    ...['http://app.example', 'https://app.example:444', 'https://inside.example', 'https://only.example'],
    ...['https://a.inside.example.evil.example', 'https://wildcard-d3b07384.evil.example', 'null'],
  ])
    assert.equal(await allowed(origin), null, origin)
})
