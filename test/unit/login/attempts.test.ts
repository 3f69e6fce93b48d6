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
    fail: (identifier: string, address = '192.0.2.1') => attempts.failed({ identifier, address }),
    /** seconds to wait; 0 when the attempt is allowed */
    wait: (identifier: string, address = '192.0.2.1') => waitOf(() => attempts.check({ identifier, address })),
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

  for (const [name, one, other, same] of [
    ['two addresses of one IPv6 network', '2001:db8:1:2::1', '2001:db8:1:2:ffff:0:0:9', true],
    ['two spellings of one IPv6 address', '2001:db8::1', '2001:0DB8:0:0::1', true],
    ['two IPv6 networks', '2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['an IPv4 address and the same inside IPv6', '192.0.2.7', '::ffff:192.0.2.7', true],
    ['two IPv4 addresses inside IPv6', '::ffff:192.0.2.7', '::ffff:192.0.2.8', false],
    ['a link-local address with its zone', 'fe80::1%eth0', 'fe80::2', true],
  ] as const) {
    it(`${name}: ${same ? 'the same' : 'not the same'} limit`, () => {
      const { fail, wait } = setup()
      for (let i = 0; i < 5; i++) fail(`x${i}`, one)
      assert.equal(wait('y', other) > 0, same)
    })
  }

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
