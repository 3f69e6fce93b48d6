import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import type { JsonObject } from '../../../src/identities/types.ts'
import { asJson, newCodes, storedCodes, useCode, withUsed } from '../../../src/methods/lookup_secret/codes.ts'
import { lookupMessages } from '../../../src/methods/lookup_secret/messages.ts'

const NOW = Date.parse('2026-11-27T03:57:45.678Z') * 1000

describe('backup codes', () => {
  it('are twelve of eight letters or digits, each different', () => {
    const codes = newCodes(randomBytes)
    assert.equal(new Set(codes.map(({ code }) => code)).size, 12)
    for (const { code, used_at } of codes) {
      assert.match(code, /^[a-z0-9]{8}$/)
      assert.equal(used_at, null)
    }
  })

  it('prefer no letter', () => {
    const letters = [...Array.from({ length: 500 }, () => newCodes(randomBytes)).flat()].flatMap(({ code }) => [
      ...code,
    ])
    const counts = new Map<string, number>()
    for (const letter of letters) counts.set(letter, (counts.get(letter) ?? 0) + 1)
    assert.equal(counts.size, 36)
    const expected = letters.length / 36
    // Chi square with 35 degrees of freedom: above 100 once in ten million runs.
    const chi = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
    assert.ok(chi < 100, `chi square ${chi}`)
  })

  it('pass once', () => {
    const codes = newCodes(randomBytes)
    const first = useCode(codes, codes[3]!.code, NOW)
    assert.deepEqual(first, { kind: 'used', code: codes[3]!.code, usedAt: '2026-11-27T03:57:45Z' })
    const { recovery_codes: left } = withUsed({ recovery_codes: asJson(codes) }, first)
    assert.deepEqual(useCode(storedCodes(left), codes[3]!.code, NOW), { kind: 'usedBefore' })
    assert.equal(storedCodes(left).filter(({ used_at }) => used_at === null).length, 11)
    assert.deepEqual(useCode(codes, `${codes[3]!.code}a`, NOW), { kind: 'wrong' })
    assert.deepEqual(useCode(codes, '', NOW), { kind: 'wrong' })
  })

  it('are read from whatever an operator has written', () => {
    const odd = [
      null,
      7,
      'x',
      {},
      { code: 5 },
      { code: '' },
      { code: 'abc' },
      { code: 'def', used_at: '0001-01-01T00:00:00Z' },
      { code: 'used', used_at: 1_795_000_000 },
    ]
    assert.deepEqual(storedCodes(odd), [
      { code: 'abc', used_at: null },
      { code: 'def', used_at: null },
      { code: 'used', used_at: '' },
    ])
    assert.deepEqual(useCode(storedCodes(odd), 'used', NOW), { kind: 'usedBefore' })
    const [secret] = lookupMessages.list(storedCodes(odd).slice(-1)).context!.secrets as JsonObject[]
    assert.deepEqual(secret!.context, { used_at: '', used_at_unix: 0 })
    for (const list of [undefined, null, 'x', {}]) assert.deepEqual(storedCodes(list), [])
    const config = { recovery_codes: [{ code: 'ghi', label: 'desk' }, ...odd], made_by: 'another program' }
    const used = withUsed(config, { code: 'ghi', usedAt: '2026-11-27T03:57:45Z' })
    const after = odd.map((entry) => (entry === odd[6] ? { code: 'abc', used_at: null } : entry))
    const first = { code: 'ghi', label: 'desk', used_at: '2026-11-27T03:57:45Z' }
    assert.deepEqual(used, { ...config, recovery_codes: [first, ...after] })
  })
})
