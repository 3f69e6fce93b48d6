import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { Client, createPerson } from '../helpers/client.ts'
import { messagesOf } from '../helpers/messages.ts'
import { testServer } from '../helpers/server.ts'

const TEXTS = sql('test.texts_of', 'select subject, body from courier_messages where recipient = $1')
const base64 = (text: string) => `base64://${Buffer.from(text).toString('base64')}`
const recovery = (plaintext: string, html = 'x') => ({
  courier: {
    templates: { recovery_code: { valid: { email: { body: { plaintext: base64(plaintext), html: base64(html) } } } } },
  },
})

describe('message templates', () => {
  test("an operator's own text is what is queued, also after a reload", async (t) => {
    const server = await testServer(t, {
      wireConfig: 'recovery',
      config: recovery('Own: {{ .RecoveryCode }} {{ .Identity.traits.email }}'),
    })
    const person = await createPerson(server)
    const ask = async () => {
      const client = new Client(server)
      const { id } = (await client.get('/self-service/recovery/api')).body
      const json = { method: 'code', email: person.email }
      return client.send('POST', `/self-service/recovery?flow=${id}`, { json })
    }
    await ask()
    await server.reconfigure(recovery('New: {{ .RecoveryCode }}'))
    await ask()
    const codes = (await messagesOf(server, person.email)).map(({ data }) => data.recovery_code)
    const rows = await server.db.query<{ subject: string; body: string }>(TEXTS, [person.email])
    assert.deepEqual(rows.map(({ body }) => body).sort(), [`New: ${codes[1]}`, `Own: ${codes[0]} ${person.email}`])
    assert.ok(rows.every(({ subject }) => /^[0-9]{6} is your code to recover your account$/.test(subject)))
  })

  test('one that fails for a person is told in the log, and the person still gets a code', async (t) => {
    const server = await testServer(t, {
      wireConfig: 'recovery',
      config: recovery('{{ .Identity.metadata_public.plan }}'),
    })
    const person = await createPerson(server)
    const client = new Client(server)
    const { id } = (await client.get('/self-service/recovery/api')).body
    const asked = await client.send('POST', `/self-service/recovery?flow=${id}`, {
      json: { method: 'code', email: person.email },
    })
    assert.ok(asked.status < 500)
    const [row] = await server.db.query<{ body: string }>(TEXTS, [person.email])
    assert.match(row?.body ?? '', /enter this code:\n\n[0-9]{6}\n/)
    assert.match(
      server.logs(),
      /a message template failed.*courier\.templates|courier\.templates.*a message template failed/,
    )
  })

  test('all are shown with made-up values in development, and nowhere else', async (t) => {
    const config = recovery('Own: {{ .RecoveryCode }}', '<script>alert(1)</script><p>{{ .To }}</p>')
    const server = await testServer(t, { dev: true, config })
    const { messages, doubts } = (await new Client(server).get(`${server.adminUrl}/admin/courier/templates`)).body
    assert.deepEqual(doubts, [])
    assert.equal(messages.length, 16)
    assert.equal(messages[0].body, 'Own: 493815')
    const page = await fetch(`${server.adminUrl}/admin/courier/templates/recovery_code_valid`)
    assert.match(await page.text(), /<p>ada@example\.org<\/p>/)
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
    assert.match(page.headers.get('content-security-policy') ?? '', /^sandbox; default-src 'none'/)
    const statusOf = async (url: string) => (await fetch(url)).status
    assert.equal(await statusOf(`${server.adminUrl}/admin/courier/templates/toString`), 404)
    assert.equal(await statusOf(`${server.publicUrl}/courier/templates`), 404)
    const closed = await testServer(t, { dev: false })
    assert.equal(await statusOf(`${closed.adminUrl}/admin/courier/templates`), 404)
    assert.equal(await statusOf(`${closed.adminUrl}/admin/courier/templates/recovery_code_valid`), 404)
  })
})
