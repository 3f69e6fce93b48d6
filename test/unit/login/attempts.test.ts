import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Config } from '../../../src/config/schema/schema.ts'
import { createLoginAttempts } from '../../../src/flows/login/attempts.ts'
import { type Micros, SECOND } from '../../../src/kernel/base/clock.ts'
import type { HttpError } from '../../../src/kernel/http/errors.ts'

function setup(limits: { per_identifier?: number; per_address?: number } = {}, maxKeys?: number) {
  let now: Micros = 1_000_000 * SECOND
  const login = { per_identifier: 3, per_address: 5, window: 60_000, ...limits }
  const config = () => ({ lethe: { limits: { login } } }) as unknown as Config
  const attempts = createLoginAttempts({ config, clock: { now: () => now }, ...(maxKeys ? { maxKeys } : {}) })
  return {
    login,
    pass: (seconds: number) => {
      now += seconds * SECOND
    },
    fail: (identifier: string, network = '192.0.2.1', shared = false) =>
      attempts.failed({ identifier, client: { network, shared } }),
    /** seconds to wait; 0 when the attempt is allowed */
    wait: (identifier: string, network = '192.0.2.1', shared = false) =>
      waitOf(() => attempts.check({ identifier, client: { network, shared } })),
  }
}

function waitOf(check: () => void): number {
  try {
    check()
    return 0
  } catch (error) {
    const { status, headers } = error as HttpError
    assert.equal(status, 429)
    return Number(headers?.['retry-after'])
  }
}

describe('limits of sign-in', () => {
  it('count failures of an identifier, however it is spelled and wherever they come from', () => {
    const { fail, wait, pass } = setup()
    fail('a@example.com', '192.0.2.1')
    pass(10)
    fail(' A@Example.com', '192.0.2.2')
    fail('A@EXAMPLE.COM ', '192.0.2.3')
    assert.equal(wait('a@example.com', '192.0.2.4'), 50, 'until the first of them is a minute old')
    assert.equal(wait('b@example.com', '192.0.2.4'), 0)
    pass(49.5)
    assert.equal(wait('a@example.com', '192.0.2.4'), 1, 'whole seconds, never none')
    pass(0.5)
    assert.equal(wait('a@example.com', '192.0.2.4'), 0)
    fail('a@example.com', '192.0.2.4')
    assert.equal(wait('a@example.com', '192.0.2.4'), 10, 'the window slides')
  })

  it('count failures from an address, whoever was meant', () => {
    const { fail, wait } = setup()
    for (const name of ['a', 'b', 'c', 'd', 'e']) fail(name)
    assert.equal(wait('f'), 60)
    assert.equal(wait('f', '192.0.2.2'), 0)
  })

  it('an address that many share is not counted, and one that is alone for itself', () => {
    const { fail, wait } = setup()
    for (let i = 0; i < 50; i++) fail(`x${i}`, '10.0.0.1', true)
    assert.equal(wait('y', '10.0.0.1', true), 0)
    for (let i = 0; i < 5; i++) fail(`x${i}`, '10.0.0.1')
    assert.ok(wait('y', '10.0.0.1', true) > 0, 'a header more is no way around the limit')
  })

  it('an unknown address has no limit, since everybody would share it', () => {
    const { fail, wait } = setup()
    for (let i = 0; i < 50; i++) fail(`x${i}`, '')
    assert.equal(wait('y', ''), 0)
  })

  it('0 is no limit, and a change counts at once', () => {
    const { login, fail, wait } = setup({ per_identifier: 0, per_address: 0 })
    for (let i = 0; i < 50; i++) fail('a')
    assert.equal(wait('a'), 0)
    login.per_identifier = 1
    fail('a')
    assert.ok(wait('a') > 0)
  })

  it('memory is bounded: whoever failed longest ago is forgotten first', () => {
    const { fail, wait, pass } = setup({ per_identifier: 1, per_address: 0 }, 100)
    for (let i = 0; i < 150; i++) {
      fail(`x${i}`)
      pass(0.01)
    }
    assert.equal(wait('x49'), 0)
    assert.ok(wait('x50') > 0)
    assert.ok(wait('x149') > 0)
  })

  it('an identifier of a megabyte costs no more than another', () => {
    const { fail, wait } = setup()
    const long = 'x'.repeat(1 << 20)
    for (let i = 0; i < 3; i++) fail(long, `192.0.2.${i}`)
    assert.ok(wait(long, '192.0.2.9') > 0)
    assert.equal(wait(`${long}y`, '192.0.2.9'), 0)
  })
})
