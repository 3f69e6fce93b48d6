import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { Client, createPerson, type Person } from '../helpers/client.ts'
import { closingScope, createDatabase, openAt } from '../helpers/db.ts'
import { lastCode } from '../helpers/messages.ts'
import { type TestServer, testServer, WIRE_CONFIGS } from '../helpers/server.ts'
import { until } from '../helpers/until.ts'

const [SCHEMA] = (WIRE_CONFIGS['code-passwordless'] as { identity: { schemas: { url: string }[] } }).identity.schemas

const BLOCKED = `select count(*)::int as n from pg_locks where not granted and pg_blocking_pids(pid) @> array[pg_backend_pid()]`

/** A deletion locks the identity first and its rows last: whoever locks them the other way round waits for ever. */
describe('an identity that is deleted while', () => {
  const scope = closingScope()
  let server: TestServer
  let url: string
  before(async () => {
    url = await createDatabase(scope, { migrated: true })
    server = await testServer(scope, {
      db: await openAt(scope, url),
      wireConfig: 'code-passwordless',
      config: {
        'watch-courier': null,
        identity: { default_schema_id: 'default', schemas: [{ ...SCHEMA, id: 'default' }] },
        courier: { smtp: { connection_uri: 'smtp://127.0.0.1:1/' } },
        selfservice: { methods: { link: { enabled: true } } },
      },
    })
  })
  after(() => scope.close())

  const submitTo = (kind: string, id: string) => (json: object) =>
    new Client(server).send('POST', `/self-service/${kind}?flow=${id}`, { json })

  /** Deletes the person while the request waits, and fails if one of them is the victim of a deadlock. */
  async function deletedDuring({ identityId }: Person, request: () => Promise<{ status: number }>): Promise<number> {
    const other = new pg.Client({ connectionString: url })
    await other.connect()
    try {
      await other.query('begin')
      await other.query('select id from identities where id = $1 for update', [identityId])
      const answer = request()
      await until(async () => (await other.query(BLOCKED)).rows[0].n > 0, 'the request that waits')
      await other.query('delete from identities where id = $1', [identityId])
      await other.query('commit')
      return (await answer).status
    } finally {
      await other.end()
    }
  }

  for (const use of ['code', 'link']) {
    for (const kind of ['recovery', 'verification']) {
      test(`another ${use} of its ${kind} is sent: the answer is that for any address`, async () => {
        await server.reconfigure({ selfservice: { flows: { [kind]: { use } } } })
        const person = await createPerson(server)
        const submit = submitTo(kind, (await new Client(server).get(`/self-service/${kind}/api`)).body.id)
        const ask = () => submit({ method: use, email: person.email })
        assert.equal((await ask()).status, 200)
        assert.equal(await deletedDuring(person, ask), 200)
      })
    }
  }

  test('another code to sign in is sent', async () => {
    const person = await createPerson(server)
    const submit = submitTo('login', (await new Client(server).get('/self-service/login/api')).body.id)
    const ask = { method: 'code', csrf_token: '', identifier: person.email }
    assert.equal((await submit(ask)).status, 400)
    assert.equal(await deletedDuring(person, () => submit({ ...ask, resend: 'code' })), 400)
  })

  test('its code for recovery comes back: it is gone', async () => {
    await server.reconfigure({ selfservice: { flows: { recovery: { use: 'code' } } } })
    const person = await createPerson(server)
    const submit = submitTo('recovery', (await new Client(server).get('/self-service/recovery/api')).body.id)
    await submit({ method: 'code', email: person.email })
    const code = await lastCode(server, person.email, 'recovery_code')
    assert.equal(await deletedDuring(person, () => submit({ method: 'code', code })), 404)
  })
})
