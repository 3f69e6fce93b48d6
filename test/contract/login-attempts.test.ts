import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Config } from '../../src/config/schema/schema.ts'
import { createLoginAttempts, type LoginAttempts } from '../../src/flows/login/attempts.ts'
import { createAttemptStore } from '../../src/flows/login/store-attempts.ts'
import { type Micros, SECOND } from '../../src/kernel/base/clock.ts'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import type { HttpError } from '../../src/kernel/http/errors.ts'
import { backends, closingScope } from '../helpers/db.ts'

interface From {
  network?: string
  shared?: boolean
  browser?: string
  identityId?: string
}

const ROWS = sql('test.rows', 'select count(*) as count, max(cardinality(times)) as longest from lethe.login_failures')

for (const backend of backends()) {
  describe(`contract=login-attempts, backend=${backend.name}`, () => {
    const scope = closingScope()
    let db: Db
    let secret = 0
    before(async () => {
      db = await backend.open(scope)
    })
    after(() => scope.close())

    /** Two nodes on one database, with counts that no other test sees. */
    function setup(limits: { per_identifier?: number; per_address?: number } = {}, known: string[] = []) {
      let now: Micros = 1_000_000 * SECOND
      const login = { per_identifier: 3, per_address: 5, window: 60_000, ...limits }
      const store = { ...createAttemptStore(db, ''), knownAddresses: async () => known }
      const deps = {
        config: () => ({ lethe: { limits: { login } } }) as unknown as Config,
        clock: { now: () => now },
        serverSecret: Buffer.from(`secret ${secret++}`),
        store,
      }
      const nodes: LoginAttempts[] = [createLoginAttempts(deps), createLoginAttempts(deps)]
      let turn = 0
      const attempt = async (identifier: string, from: From, fails: boolean) => {
        const node = nodes[turn++ % nodes.length]!
        const { network = '192.0.2.1', shared = false } = from
        const who = {
          ...{ identifier, client: { network, shared }, knownBrowser: from.browser },
          identityId: async () => from.identityId,
        }
        const counts = await node.begin(who)
        if (fails) await node.failed(who, counts)
        else await node.check(counts)
      }
      return {
        login,
        pass: (seconds: number) => {
          now += seconds * SECOND
        },
        /** seconds to wait; 0 when the attempt is allowed */
        fail: (identifier: string, from: From = {}) => waitOf(attempt(identifier, from, true)),
        wait: (identifier: string, from: From = {}) => waitOf(attempt(identifier, from, false)),
      }
    }

    it('failures of an identifier count, however it is spelled, wherever they come from, and whichever node is asked', async () => {
      const { fail, wait, pass } = setup()
      await fail('a@example.com', { network: '192.0.2.1' })
      pass(10)
      await fail(' A@Example.com', { network: '192.0.2.2' })
      await fail('A@EXAMPLE.COM ', { network: '192.0.2.3' })
      assert.equal(await wait('a@example.com', { network: '192.0.2.4' }), 50, 'until the first of them is a minute old')
      assert.equal(await wait('b@example.com', { network: '192.0.2.4' }), 0)
      pass(49.5)
      assert.equal(await wait('a@example.com', { network: '192.0.2.4' }), 1, 'whole seconds, never none')
      pass(0.5)
      assert.equal(await wait('a@example.com', { network: '192.0.2.4' }), 0)
      await fail('a@example.com', { network: '192.0.2.4' })
      assert.equal(await wait('a@example.com', { network: '192.0.2.4' }), 10, 'the window slides')
    })

    it('failures from an address count, whichever account was tried', async () => {
      const { fail, wait } = setup()
      for (const name of ['a', 'b', 'c', 'd', 'e']) assert.equal(await fail(name), 0)
      assert.equal(await wait('f'), 60)
      assert.equal(await wait('f', { network: '192.0.2.2' }), 0)
    })

    it('of failures at once, at both nodes, no more are judged than allowed', async () => {
      const { fail } = setup()
      const waits = await Promise.all(Array.from({ length: 12 }, () => fail('a')))
      assert.equal(waits.filter((wait) => wait === 0).length, 3)
    })

    it('an address that many share is not counted, and one that is alone for itself', async () => {
      const { fail, wait } = setup()
      const shared = { network: '10.0.0.1', shared: true }
      for (let i = 0; i < 20; i++) assert.equal(await fail(`x${i}`, shared), 0)
      for (let i = 0; i < 5; i++) await fail(`x${i}`, { network: '10.0.0.1' })
      assert.ok((await wait('y', shared)) > 0, 'a header more is no way around the limit')
    })

    it('an unknown address has no limit, since everybody would share it', async () => {
      const { fail } = setup()
      for (let i = 0; i < 20; i++) assert.equal(await fail(`x${i}`, { network: '', shared: true }), 0)
    })

    it('a browser that has signed in before is not locked out by others, and guesses no more than they', async () => {
      const { fail, wait, pass } = setup()
      for (let i = 0; i < 9; i++) await fail('a', { network: `192.0.2.${i}` })
      for (let i = 0; i < 9; i++) await fail(`x${i}`, { network: '192.0.2.1' })
      assert.ok((await wait('a')) > 0)
      assert.equal(await wait('a', { browser: '1' }), 0)
      for (let i = 0; i < 3; i++) assert.equal(await fail('a', { browser: '1' }), 0)
      assert.ok((await fail('a', { browser: '1' })) > 0)
      assert.equal(await wait('a', { browser: '2' }), 0)
      pass(60)
      let judged = 0
      for (let i = 0; i < 30; i++) if ((await fail('a', { browser: `n${i}` })) === 0) judged++
      assert.equal(judged, 15, 'all known browsers of an account together have a limit, too')
    })

    it('a network that has signed in before has a count of its own', async () => {
      const { fail, wait } = setup({}, ['192.0.2.1:4000', '[2001:db8:1:2::1]:80', 'nonsense'])
      for (let i = 0; i < 3; i++) await fail('a', { network: '192.0.2.9' })
      const owner = { identityId: 'x', network: '192.0.2.1' }
      assert.equal(await wait('a', owner), 0)
      assert.equal(await wait('a', { identityId: 'x', network: '2001:db8:1:2' }), 0)
      assert.ok((await wait('a', { identityId: 'x', network: '192.0.2.9' })) > 0)
      assert.ok((await wait('a', { network: '192.0.2.1' })) > 0, 'nobody has this identifier')
      assert.ok((await wait('a', { ...owner, shared: true })) > 0, 'everybody behind a proxy would be known')
      for (let i = 0; i < 3; i++) assert.equal(await fail('a', owner), 0)
      assert.ok((await fail('a', owner)) > 0)
    })

    it('0 is no limit, and a change counts at once', async () => {
      const { login, fail, wait } = setup({ per_identifier: 0, per_address: 0 })
      for (let i = 0; i < 20; i++) await fail('a')
      assert.equal(await wait('a'), 0)
      login.per_identifier = 1
      await fail('a')
      assert.ok((await wait('a')) > 0)
    })

    it('what is over is swept, and a row holds no more than it needs', async () => {
      const { fail, pass } = setup({ per_identifier: 3, per_address: 5 })
      pass(3600)
      for (let i = 0; i < 40; i++) await fail(`x${i}`, { network: `192.0.2.${i}` })
      pass(61)
      for (let i = 0; i < 40; i++) await fail('y', { network: `198.51.100.${i}` })
      const [row] = await db.query<{ count: number; longest: number }>(ROWS)
      assert.ok(row!.count < 40, `${row!.count} rows are left`)
      assert.ok(row!.longest <= 6)
    })
  })
}

async function waitOf(attempt: Promise<void>): Promise<number> {
  try {
    await attempt
    return 0
  } catch (error) {
    const { status, headers } = error as HttpError
    assert.equal(status, 429, String(error))
    return Number(headers?.['retry-after'])
  }
}
