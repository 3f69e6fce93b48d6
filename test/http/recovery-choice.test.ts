import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { Client } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { randomAddress } from '../helpers/mailbox.ts'
import { lastCode, messagesOf } from '../helpers/messages.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const FORM = { accept: 'text/html' }

describe('recovery that asks which address is meant', () => {
  const scope = closingScope()
  let server: TestServer
  before(async () => {
    const words = { smtp: '127.0.0.1:9', hook: 'http://127.0.0.1:9' }
    server = await testServer(scope, { wireConfig: 'recovery-choose', words })
  })
  after(() => scope.close())

  /** Somebody with these addresses. */
  async function person(traits: { email: string; backup?: string }) {
    const body = { schema_id: 'two', traits }
    const { status } = await new Client(server).send('POST', `${server.adminUrl}/admin/identities`, { json: body })
    assert.equal(status, 201)
    return traits
  }

  async function begun() {
    const { id } = (await new Client(server).get('/self-service/recovery/api')).body
    const submit = (json: object) =>
      new Client(server).send('POST', `/self-service/recovery?flow=${id}`, { json: { method: 'code', ...json } })
    return submit
  }
  const picksOf = (body: any): { value: string; label: string }[] =>
    body.ui.nodes
      .filter((node: any) => node.attributes.name === 'recovery_select_address')
      .map((node: any) => ({ value: node.attributes.value, label: node.meta.label.text }))

  test('the choice tells no more than it shows: what stands for an address cannot be made from it', async () => {
    const { email, backup } = await person({ email: randomAddress(), backup: randomAddress() })
    const answers = await Promise.all([0, 1].map(async () => (await (await begun())({ recovery_address: email })).body))
    const plain = [email, backup!].map((one) => createHash('sha256').update(one).digest('base64'))
    const values = answers.flatMap(picksOf).map(({ value }) => value)
    assert.equal(new Set([...values, ...plain]).size, 6, 'the same twice, or a plain hash')
    assert.ok(!JSON.stringify(answers).includes(backup!))
  })

  test('an address that is picked has to be named in full, and then gets the code', async () => {
    // What is shown of an address is its beginning, which those of one kind may share.
    const { email, backup } = await person({ email: randomAddress(), backup: `other-${randomAddress()}` })
    const submit = await begun()
    const offered = await submit({ recovery_address: email })
    const masked = `${backup!.slice(0, 2)}****@example.com`
    const pick = picksOf(offered.body).find(({ label }) => label === masked)!
    const asked = await submit({ recovery_address: email, recovery_select_address: pick.value })
    assert.equal(asked.body.state, 'recovery_confirming_address')
    const sent = await submit({ recovery_address: email, recovery_confirm_address: ` ${backup!.toUpperCase()}` })
    assert.equal(sent.body.state, 'recovery_awaiting_code')
    assert.deepEqual([await messagesOf(server, email), (await messagesOf(server, backup!)).length], [[], 1])
    const again = await submit({ recovery_address: email, recovery_confirm_address: backup!, code: '' })
    assert.deepEqual([again.body.state, (await messagesOf(server, backup!)).length], ['recovery_awaiting_code', 2])
    const done = await submit({ code: await lastCode(server, backup!, 'recovery_code') })
    assert.equal(done.body.state, 'passed_challenge')
  })

  test('an address that was not offered is refused with a message, and no message is sent', async () => {
    const { email, backup } = await person({ email: randomAddress(), backup: randomAddress() })
    const stranger = await person({ email: randomAddress(), backup: randomAddress() })
    const submit = await begun()
    const [other] = picksOf((await (await begun())({ recovery_address: stranger.email })).body)
    await submit({ recovery_address: email })
    const forged = createHash('sha256').update(stranger.email).digest('base64')
    for (const value of [other!.value, forged, 'nothing']) {
      const refused = await submit({ recovery_address: email, recovery_select_address: value })
      assert.deepEqual([refused.status, refused.body.ui.messages[0].id], [400, 4000001])
    }
    const missing = await submit({ recovery_address: email })
    assert.equal(missing.status, 400)
    for (const one of [email, backup!, stranger.email]) assert.deepEqual(await messagesOf(server, one), [])
  })

  test('an address of any length is a clear answer, and is not stored', async () => {
    const submit = await begun()
    const long = await submit({ recovery_address: `${'a'.repeat(30_000)}@example.com` })
    assert.equal(long.status, 400)
    assert.ok(long.text.length < 3000)
  })

  test('an unknown address gets the answers of an account with a single address', async () => {
    const { email } = await person({ email: randomAddress() })
    const unknown = randomAddress()
    const shapes = []
    for (const address of [email, unknown]) {
      const submit = await begun()
      const { status, body } = await submit({ recovery_address: address })
      const { id, issued_at, expires_at, ...rest } = body
      shapes.push([status, JSON.stringify(rest).replaceAll(id, 'FLOW').replaceAll(address, 'ADDRESS')])
    }
    const hide = (text: unknown, address: string) => String(text).replaceAll(`${address.slice(0, 2)}****`, 'XX****')
    assert.equal(hide(shapes[0], email), hide(shapes[1], unknown))
  })

  test('a browser that was handed the flow goes on with a token of its own', async () => {
    const { email, backup } = await person({ email: randomAddress(), backup: randomAddress() })
    const first = new Client(server)
    const begun = (await first.get('/self-service/recovery/browser')).body
    const second = new Client(server)
    const own = (await second.get('/self-service/recovery/browser')).body
    const tokenOf = (body: any) => body.ui.nodes[0].attributes.value
    const path = `/self-service/recovery?flow=${begun.id}`
    const json = { method: 'code', recovery_address: email, csrf_token: tokenOf(own) }
    const offered = await second.send('POST', path, { json })
    const [pick] = picksOf(offered.body)
    const form = { ...json, recovery_select_address: pick!.value, csrf_token: tokenOf(offered.body) }
    const picked = await second.send('POST', path, { headers: FORM, form })
    assert.match(picked.headers.get('location') ?? '', /\/recovery\?flow=/)
    assert.ok(backup)
  })
})
