import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { Client } from '../helpers/client.ts'
import { postgres } from '../helpers/db.ts'
import { testHasher } from '../helpers/hasher.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const TRIES = 8
const CHEAP = {
  'an imported hash without cost': '$md5$CY9rzUYh03PK3k6DJie09g==',
  'an imported bcrypt hash of a low cost': `$2a$04$${'abcdefghijklmnopqrstuu'}${'a'.repeat(31)}`,
  'an imported pbkdf2 hash':
    '$pbkdf2-sha256$i=1000,l=32$Zml4dHVyZS1zYWx0LTAxNg$3oxwWkgC6Jsauh8IU2WWIeMI7qfnUv9LU8+fOA40Vt4',
}

async function person(server: TestServer, password?: object, state = 'active'): Promise<string> {
  const email = `${randomUUID()}@example.com`
  const credentials = password && { credentials: { password: { config: password } } }
  const { status } = await new Client(server).send('POST', `${server.adminUrl}/admin/identities`, {
    json: { schema_id: 'default', traits: { email }, state, ...credentials },
  })
  assert.equal(status, 201)
  return email
}

/** Processor time of this process, client included, for each of several wrong guesses, the least first. */
async function work(server: TestServer, identifier: string): Promise<number[]> {
  const client = new Client(server)
  const times: number[] = []
  for (let i = 0; i < TRIES; i++) {
    const { ui } = (await client.get('/self-service/login/api')).body
    const before = process.cpuUsage()
    const { status } = await client.send('POST', ui.action, {
      json: { method: 'password', identifier, password: `wrong-password-${i}` },
    })
    const { user, system } = process.cpuUsage(before)
    assert.equal(status, 400)
    times.push(user + system)
  }
  return times.sort((a, b) => a - b)
}

test('the time of an answer does not tell who has an account, nor of which kind it is', async (t) => {
  const limits = { login: { per_identifier: 0, per_address: 0 } }
  const hasher = testHasher({ bcrypt: { cost: 10 } })
  const server = await testServer(t, { backend: postgres, hasher, config: { lethe: { limits } } })
  const known = await person(server, { password: 'Abend-im-Hafen-7' })
  const kinds: Record<string, string> = {
    nobody: 'nobody@example.com',
    'somebody without a password': await person(server),
    'a disabled account': await person(server, { password: 'Abend-im-Hafen-7' }, 'inactive'),
  }
  for (const [kind, hashed_password] of Object.entries(CHEAP)) kinds[kind] = await person(server, { hashed_password })
  const median = (await work(server, known))[TRIES / 2]!
  for (const [kind, identifier] of Object.entries(kinds)) {
    const times = await work(server, identifier)
    assert.ok(times[0]! > median / 3, `${kind}: once ${times[0]} µs, where a wrong password takes ${median}`)
    assert.ok(times[TRIES / 2]! < median * 2, `${kind}: ${times[TRIES / 2]} µs, where a wrong password takes ${median}`)
  }
})
