import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { Client, createPerson, type Reply } from '../helpers/client.ts'
import type { Scope } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const newEmail = () => `p${randomBytes(8).toString('hex')}@example.com`

/** The inputs of a form in their order: name, type, value and the ids of messages. */
const inputsOf = ({ body }: Reply) =>
  body.ui.nodes.map(({ attributes, messages }: any) => [
    attributes.name,
    attributes.type,
    attributes.value,
    ...messages.map(({ id }: { id: number }) => id),
  ])
const messageIds = ({ body }: Reply): number[] => (body.ui.messages ?? []).map(({ id }: { id: number }) => id)

async function native(t: Scope, wireConfig: string, kind: string) {
  const server = await testServer(t, { wireConfig, config: { 'watch-courier': false } })
  return { server, ...(await begun(server, kind)) }
}

async function begun(server: TestServer, kind: string) {
  const flow = await new Client(server).get(`/self-service/${kind}/api`)
  const submit = (options: Parameters<Client['send']>[2], id = flow.body.id) =>
    new Client(server).send('POST', `/self-service/${kind}?flow=${id}`, options)
  return { submit }
}

describe('a form that is shown again', () => {
  test('says still that a code was sent, and asks for the address of another', async (t) => {
    const { submit } = await native(t, 'recovery', 'verification')
    const email = newEmail()
    assert.deepEqual(messageIds(await submit({ json: { method: 'code', email } })), [1080003])
    const buttons = [
      ['method', 'hidden', 'code'],
      ['code', 'text', undefined],
      ['method', 'submit', 'code'],
    ]
    const empty = await submit({ json: { method: 'code', code: '' } })
    assert.equal(empty.status, 400)
    assert.deepEqual(messageIds(empty), [1080003])
    const token = ['csrf_token', 'hidden', '']
    assert.deepEqual(inputsOf(empty), [...buttons, ['email', 'email', '', 4000002], token])
    const unreadable = await submit({ body: '', headers: { 'content-type': 'application/json' } })
    assert.deepEqual(messageIds(unreadable), [1080003, 4000001])
    const again = await submit({ json: { method: 'code', email } })
    assert.deepEqual([again.status, messageIds(again)], [200, [1080003]])
    assert.deepEqual(inputsOf(again), [...buttons, ['email', 'submit', email]])
  })

  test('of recovery is taken by the method it names, or by none', async (t) => {
    const { submit } = await native(t, 'recovery', 'recovery')
    const email = newEmail()
    assert.deepEqual(messageIds(await submit({ json: { method: 'code', email } })), [1060003])
    for (const json of [{ method: 'another', email }, { email }]) {
      const refused = await submit({ json })
      assert.deepEqual([refused.status, refused.body.active, messageIds(refused)], [400, 'default', [4010005]])
    }
  })

  test('of recovery by link tells an app that it must not send an Origin', async (t) => {
    const { submit } = await native(t, 'link', 'recovery')
    const refused = await submit({
      json: { method: 'link', email: newEmail() },
      headers: { origin: 'https://evil.test' },
    })
    assert.deepEqual([refused.status, messageIds(refused)], [400, [4000001]])
  })

  test('for a code has the input of the token also in an app, and its order, whatever was wrong', async (t) => {
    const { server, submit } = await native(t, 'code-passwordless', 'login')
    const email = newEmail()
    const made = await new Client(server).send('POST', `${server.adminUrl}/admin/identities`, {
      json: { traits: { email } },
    })
    assert.equal(made.status, 201)
    const sent = { method: 'code', identifier: email }
    assert.deepEqual(messageIds(await submit({ json: sent })), [1010014])
    const refused = await submit({ json: { ...sent, code: '1' }, headers: { origin: 'https://evil.test' } })
    assert.equal(refused.status, 400)
    const names = ['csrf_token', 'identifier', 'code', 'resend', 'method', 'method']
    assert.deepEqual(
      inputsOf(refused).map(([name]: string[]) => name),
      names,
    )

    const registration = await begun(server, 'registration')
    await registration.submit({ json: { method: 'code', traits: { email: newEmail() } } })
    const unreadable = await registration.submit({ body: '', headers: { 'content-type': 'application/json' } })
    assert.deepEqual(
      inputsOf(unreadable)
        .map(([name]: string[]) => name)
        .filter((name: string) => !name.startsWith('traits.')),
      ['csrf_token', 'code', 'resend', 'method', 'method', 'screen'],
    )
  })

  test('the flow of no id is none, not an unknown one', async (t) => {
    const server = await testServer(t, { wireConfig: 'recovery', config: { 'watch-courier': false } })
    for (const kind of ['login', 'registration', 'recovery', 'verification']) {
      const { submit } = await begun(server, kind)
      assert.equal((await submit({ json: {} }, '00000000-0000-0000-0000-000000000000')).status, 400, kind)
      assert.equal((await submit({ json: {} }, '00000000-0000-4000-8000-000000000000')).status, 404, kind)
    }
  })
})

test('a list names the credential type that does not exist', async (t) => {
  const server = await testServer(t)
  const { identityId } = await createPerson(server)
  const reason = async (path: string) =>
    (await new Client(server).get(`${server.adminUrl}/admin/identities${path}`)).body.error.reason
  const query = 'include_credential=password&include_credential=passwort'
  const told = (value: string) => `Invalid value \`${value}\` for parameter \`include_credential\`.`
  assert.equal(await reason(`?${query}`), told('passwort'))
  assert.equal(await reason(`/${identityId}?${query}`), told('[password]'))
})
