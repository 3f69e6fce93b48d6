import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createKnownBrowsers, KNOWN_BROWSER_DAYS } from '../../../src/flows/login/known-browsers.ts'
import { SECOND } from '../../../src/kernel/base/clock.ts'
import fc from '../../helpers/fast-check.ts'

const DAY = 86_400 * SECOND

function setup(secret = 'a') {
  let now = 20_000 * DAY
  const known = createKnownBrowsers({
    serverSecret: Buffer.from(secret),
    clock: { now: () => now },
    random: randomBytes,
  })
  const pass = (days: number) => {
    now += days * DAY
  }
  return { ...known, pass }
}

test('a browser is known for the accounts that it has signed in to, however they are spelled', () => {
  const { add, of } = setup()
  const cookie = add(add(undefined, 'a@example.com'), 'b@example.com')
  const id = of(cookie, 'a@example.com')
  assert.match(id ?? '', /^[0-9a-f]{32}$/)
  assert.equal(of(cookie, ' A@Example.com'), id)
  assert.equal(of(cookie, 'b@example.com'), id)
  assert.equal(of(cookie, 'c@example.com'), undefined)
  assert.equal(of(undefined, 'a@example.com'), undefined)
  assert.notEqual(of(add(undefined, 'a@example.com'), 'a@example.com'), id)
})

test('for half a year, and another from each sign-in', () => {
  const { add, of, pass } = setup()
  const cookie = add(undefined, 'a')
  pass(KNOWN_BROWSER_DAYS)
  assert.ok(of(cookie, 'a'))
  const again = add(cookie, 'a')
  pass(1)
  assert.equal(of(cookie, 'a'), undefined)
  assert.ok(of(again, 'a'))
})

test('the cookie is bounded: of many accounts the last ones are kept', () => {
  const { add, of } = setup()
  let cookie: string | undefined
  for (let i = 0; i < 50; i++) cookie = add(cookie, `x${i}`)
  assert.ok(cookie!.length < 300)
  assert.ok(of(cookie, 'x49') && of(cookie, 'x43'))
  assert.equal(of(cookie, 'x40'), undefined)
})

test('none can be forged: another secret, another byte, another number, anything at all', () => {
  const { add, of } = setup()
  const cookie = add(undefined, 'a')
  assert.equal(setup('b').of(cookie, 'a'), undefined)
  for (let at = 0; at < cookie.length - 1; at++) {
    const other = cookie[at] === 'A' ? 'B' : 'A'
    assert.equal(of(cookie.slice(0, at) + other + cookie.slice(at + 1), 'a'), undefined, `letter ${at}`)
  }
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 400 }), fc.base64String({ maxLength: 400 })), (text) => {
      assert.equal(of(text, 'a'), undefined)
      assert.ok(of(add(text, 'a'), 'a'))
    }),
  )
})
