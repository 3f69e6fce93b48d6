import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import type { Scope } from '../helpers/db.ts'
import { testServer } from '../helpers/server.ts'
import { until } from '../helpers/until.ts'

const ROW = sql(
  'test.courier_http_row',
  `select m.status, m.send_count,
    (select json_agg(d.error order by d.created_at) from courier_message_dispatches d where d.message_id = m.id) as errors
   from courier_messages m where m.id = $1`,
)
const HURRY = sql(
  'test.courier_http_hurry',
  `update lethe.courier_claims set due_at = '2000-01-01' where claim is null`,
)
const [SENT, ABANDONED] = [2, 4]

interface Call {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: string
}

async function service(t: Scope, request: object, answer: (n: number) => number | 'cut') {
  const calls: Call[] = []
  const server = createServer((req, res) => {
    let body = ''
    req.on('data', (chunk) => (body += chunk))
    req.on('end', () => {
      calls.push({ method: req.method!, url: req.url!, headers: req.headers, body })
      const status = answer(calls.length)
      if (status === 'cut') return req.socket.destroy()
      res.writeHead(status, status < 400 && status >= 300 ? { location: 'http://127.0.0.1:1/' } : {}).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mail`
  const lethe = await testServer(t, {
    config: {
      courier: {
        delivery_strategy: 'http',
        http: { request_config: { url, ...request } },
        worker: { pull_wait: '20ms' },
        message_retries: 1,
      },
    },
  })
  lethe.deps.courierWorker.start()
  t.after(() => lethe.deps.courierWorker.stop())
  const to = 'ida@example.com'
  const enqueue = (channel: 'email' | 'sms' = 'email') =>
    lethe.deps.courier.enqueue({
      type: 'recovery_code_valid',
      channel,
      recipient: to,
      data: { to, recovery_code: '012345', expires_in_minutes: 60 },
      requestHeaders: { 'User-Agent': ['curl'] },
    })
  const row = async (id: string) =>
    (
      await lethe.db.query<{ status: number; send_count: number; errors: { reason: string; code: number }[] }>(ROW, [
        id,
      ])
    )[0]!
  const reached = (id: string, status: number) =>
    until(async () => {
      await lethe.db.query(HURRY)
      const found = await row(id)
      return found.status === status && found
    }, `status ${status}`)
  return { calls, enqueue, reached }
}

const jsonnet = (text: string) => `base64://${Buffer.from(text).toString('base64')}`

describe('messages over HTTP', () => {
  test('the default body has what Kratos sends', async (t) => {
    const { calls, enqueue, reached } = await service(t, {}, () => 202)
    const id = await enqueue()
    await reached(id, SENT)
    const [call] = calls
    assert.deepEqual([call!.method, call!.url, call!.headers['content-type']], ['POST', '/mail', 'application/json'])
    assert.equal(call!.headers['idempotency-key'], id)
    const { subject, body, ...members } = JSON.parse(call!.body)
    assert.ok(subject !== '' && body.includes('012345'))
    assert.deepEqual(members, {
      ...{ recipient: 'ida@example.com', to: 'ida@example.com', template_type: 'recovery_code_valid' },
      ...{ recovery_code: '012345', recovery_url: null, verification_url: null, verification_code: null },
    })
  })

  test('a body in Jsonnet sees the whole message; headers and credentials are sent', async (t) => {
    const { calls, enqueue, reached } = await service(
      t,
      {
        ...{ method: 'PUT', headers: { 'X-Mail': 'yes' }, body: jsonnet('function(ctx) ctx { more: 1 }') },
        auth: { type: 'basic_auth', config: { user: 'u', password: 'p' } },
      },
      () => 200,
    )
    await reached(await enqueue(), SENT)
    const { method, headers, body } = calls[0]!
    assert.deepEqual([method, headers['x-mail']], ['PUT', 'yes'])
    assert.equal(headers.authorization, `Basic ${Buffer.from('u:p').toString('base64')}`)
    const sent = JSON.parse(body)
    assert.deepEqual(
      [sent.more, sent.message_type, sent.template_data.recovery_code, sent.request_headers],
      [1, 'email', '012345', { 'User-Agent': ['curl'] }],
    )
    assert.ok(sent.html_body.includes('012345'))
  })

  for (const [what, answer, reason] of [
    ['a status of failure', 500, /status 500/],
    ['a redirect, which is not followed', 302, /status 302/],
    ['an answer that does not come', 'cut', /./],
  ] as const)
    test(`tried again, then abandoned: ${what}`, async (t) => {
      const { calls, enqueue, reached } = await service(t, {}, () => answer)
      const { send_count, errors } = await reached(await enqueue(), ABANDONED)
      assert.equal(send_count, 2)
      for (const error of errors) assert.match(error.reason, reason)
      assert.equal(new Set(calls.map(({ headers }) => headers['idempotency-key'])).size, 1)
    })

  test('a body that fails, or never ends, is a failed try with its reason, and no call', async (t) => {
    for (const [text, reason] of [
      ['function(ctx) error "no"', /no/],
      ['function(ctx) { a: ', /./],
      ['function(ctx) local f(n) = f(n + 1) + 1; f(0)', /./],
    ] as const) {
      const { calls, enqueue, reached } = await service(t, { body: jsonnet(text) }, () => 200)
      const { errors } = await reached(await enqueue(), ABANDONED)
      assert.match(errors[0]!.reason, reason)
      assert.deepEqual(calls, [])
    }
  })

  test('a body in a file counts as soon as it is changed', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'lethe-body-'))
    t.after(() => rm(folder, { recursive: true }))
    const file = join(folder, 'body.jsonnet')
    await writeFile(file, 'function(ctx) { version: 1 }')
    const { calls, enqueue, reached } = await service(t, { body: `file://${file}` }, () => 200)
    await reached(await enqueue(), SENT)
    await writeFile(file, 'function(ctx) { version: 2 }')
    await reached(await enqueue(), SENT)
    assert.deepEqual(
      calls.map(({ body }) => JSON.parse(body).version),
      [1, 2],
    )
  })

  test('without a channel for SMS they are abandoned, and mail goes on', async (t) => {
    const { calls, enqueue, reached } = await service(t, {}, () => 200)
    const { errors } = await reached(await enqueue('sms'), ABANDONED)
    assert.match(errors[0]!.reason, /not configured/)
    await reached(await enqueue(), SENT)
    assert.equal(calls.length, 1)
  })
})
