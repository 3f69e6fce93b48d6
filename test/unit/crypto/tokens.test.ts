import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import * as tokens from '../../../src/kernel/crypto/tokens.ts'

const { derivedLogoutToken, newLogoutToken, newSessionToken, safeEqual, sha256Hex, storedToken } = tokens
const SESSION_ID = '065cc3a4-a214-478f-ad75-c5b7f88e9863'

describe('tokens', () => {
  it('have the form and the length of the columns that hold them', () => {
    assert.match(newSessionToken(randomBytes), /^ory_st_[A-Za-z0-9]{32}$/)
    assert.match(newLogoutToken(randomBytes), /^ory_lo_[A-Za-z0-9]{32}$/)
    assert.match(derivedLogoutToken(randomBytes(32), SESSION_ID), /^ory_lo_[A-Za-z0-9]{32}$/)
    assert.match(storedToken(newSessionToken(randomBytes), 'sha256'), /^s2_[\w-]{36}$/)
  })

  it('drop the bytes that would favour some letters and ask for more', () => {
    const blocks = [Buffer.alloc(48, 255), Buffer.alloc(48, 248), Buffer.alloc(48, 247), Buffer.alloc(48, 0)]
    assert.equal(
      newSessionToken(() => blocks.shift()!),
      `ory_st_${'9'.repeat(32)}`,
    )
    assert.equal(blocks.length, 1)
  })

  it('derive a logout token from secret and session alone', () => {
    const secret = Buffer.alloc(32, 7)
    const token = derivedLogoutToken(secret, SESSION_ID)
    assert.equal(derivedLogoutToken(secret, SESSION_ID), token)
    assert.notEqual(derivedLogoutToken(Buffer.alloc(32, 8), SESSION_ID), token)
    assert.notEqual(derivedLogoutToken(secret, SESSION_ID.replace('0', '1')), token)
  })

  it('are stored so that the row cannot be used as the token', () => {
    const token = newSessionToken(randomBytes)
    const stored = storedToken(token, 'sha256')
    assert.equal(storedToken(token, 'plain'), token)
    assert.equal(storedToken(token, 'sha256'), stored)
    assert.notEqual(storedToken(stored, 'sha256'), stored)
  })

  it('hash and compare', () => {
    assert.equal(sha256Hex('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    assert.ok(safeEqual('ä', 'ä'))
    assert.ok(safeEqual('', ''))
    assert.ok(!safeEqual('a', 'aa'))
    assert.ok(!safeEqual('a', ''))
  })
})
