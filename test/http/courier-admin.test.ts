import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Scope } from '../helpers/db.ts'
import { randomAddress } from '../helpers/mailbox.ts'
import { testServer } from '../helpers/server.ts'

interface Listed {
  id: string
  recipient: string
  body: string
  subject: string
  status: string
  created_at: string
}

async function withMessages(t: Scope, options: { dev?: boolean } = {}) {
  const server = await testServer(t, { ...options })
  const to = randomAddress()
  const enqueue = (recipient = to) =>
    server.deps.courier.enqueue({
      type: 'recovery_code_valid',
      channel: 'email',
      recipient,
      data: { to: recipient, recovery_code: '012345' },
    })
  const get = async (path: string) => {
    const answer = await fetch(`${server.adminUrl}${path}`)
    const body = (await answer.json()) as any
    return { status: answer.status, link: answer.headers.get('link') ?? '', body }
  }
  return { server, to, enqueue, get }
}

test('messages are listed newest first, by pages that hold each once, without their texts', async (t) => {
  const { enqueue, get } = await withMessages(t)
  const ids: string[] = []
  for (let i = 0; i < 7; i++) ids.push(await enqueue())
  const seen: Listed[] = []
  let path = '/admin/courier/messages?page_size=3'
  while (path !== '') {
    const { body, link } = await get(path)
    seen.push(...body)
    path = /<([^>]+)>; rel="next"/.exec(link)?.[1] ?? ''
  }
  assert.deepEqual(seen.map(({ id }) => id).sort(), ids.sort())
  const times = seen.map(({ created_at }) => Date.parse(created_at))
  assert.deepEqual(
    times,
    times.toSorted((a, b) => b - a),
  )
  for (const { body, subject } of seen)
    assert.deepEqual([body, subject], ['<redacted-unless-dev-mode>', '<redacted-unless-dev-mode>'])
  assert.equal((await get('/courier/messages')).body.length, 7)
})

test('they are filtered by recipient and by state', async (t) => {
  const { to, enqueue, get } = await withMessages(t)
  await enqueue()
  await enqueue('other@example.com')
  const count = async (query: string) => (await get(`/admin/courier/messages?${query}`)).body.length
  const recipient = encodeURIComponent(to)
  assert.equal(await count(`recipient=${recipient}`), 1)
  assert.equal(await count('status=queued'), 2)
  assert.equal(await count(`status=queued&recipient=${recipient}`), 1)
  assert.equal(await count(`status=sent&recipient=${recipient}`), 0)
})

test('one message comes with its tries', async (t) => {
  const { enqueue, get } = await withMessages(t)
  const { body } = await get(`/admin/courier/messages/${await enqueue()}`)
  assert.deepEqual([body.status, body.send_count, body.dispatches], ['queued', 0, []])
})

test('development shows texts', async (t) => {
  const { enqueue, get } = await withMessages(t, { dev: true })
  const { body } = await get(`/admin/courier/messages/${await enqueue()}`)
  assert.match(body.body, /012345/)
})

test('what cannot be asked for is refused', async (t) => {
  const { get } = await withMessages(t)
  const refused = async (path: string) => {
    const { status, body } = await get(`/admin/courier/messages${path}`)
    return [status, body.error?.code]
  }
  for (const query of ['status=lost', 'status=', 'status=SENT', 'status=constructor'])
    assert.deepEqual(await refused(`?${query}`), [400, 400], query)
  for (const query of ['page_size=x', 'page_token=nonsense', 'page_token=e30', 'page_size=1e3'])
    assert.deepEqual(await refused(`?${query}`), [400, 500], query)
  assert.equal((await refused('?recipient=%00'))[0], 400)
  assert.deepEqual(await refused('/nothing'), [400, 400])
  assert.deepEqual(await refused('/00000000-1111-4222-8333-444444444444'), [404, 404])
})

test('metrics tell how many wait, and how long', async (t) => {
  const { server, enqueue } = await withMessages(t)
  await enqueue()
  const text = await (await fetch(`${server.adminUrl}/metrics/prometheus`)).text()
  assert.match(text, /^lethe_courier_messages_queued(\{\})? 1$/m)
  assert.match(text, /^lethe_courier_oldest_message_seconds(\{\})? \d/m)
})

test('the mailbox of development shows texts as text, with links that work, and is not there otherwise', async (t) => {
  const { server, enqueue } = await withMessages(t, { dev: true })
  await enqueue()
  const hostile = '<img src=x>'
  await server.deps.courier.enqueue({
    type: 'recovery_valid',
    channel: 'email',
    recipient: `${hostile}@example.com`,
    data: { to: hostile, recovery_url: 'https://id.example/self-service/recovery?token=a&b="c' },
  })
  const answer = await fetch(`${server.adminUrl}/courier/mailbox`)
  const text = await answer.text()
  assert.match(text, /012345/)
  assert.match(text, /<a href="https:\/\/id\.example\/self-service\/recovery\?token=a&amp;b=/)
  assert.ok(!text.includes('<img'))
  assert.match(answer.headers.get('content-security-policy')!, /default-src 'none'/)
  assert.equal((await fetch(`${server.publicUrl}/courier/mailbox`)).status, 404)
  const production = await withMessages(t)
  assert.equal((await fetch(`${production.server.adminUrl}/courier/mailbox`)).status, 404)
})
