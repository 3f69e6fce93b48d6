import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { inflateSync } from 'node:zlib'
import { judgeCode, stepAt } from '../../../src/methods/totp/code.ts'
import { qrImage } from '../../../src/methods/totp/qr.ts'
import { newSecret, secretOf, totpUrl } from '../../../src/methods/totp/secret.ts'

/** `12345678901234567890`, the secret of RFC 6238, appendix B. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
/** Seconds and the last six digits of the codes there, for SHA-1. */
const VECTORS: [number, string][] = [
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
]
const at = (seconds: number) => seconds * 1_000_000

describe('codes of an authenticator app', () => {
  it('are those of RFC 6238', () => {
    for (const [seconds, code] of VECTORS) {
      assert.deepEqual(judgeCode(SECRET, code, at(seconds)), { kind: 'right', step: Math.floor(seconds / 30) })
    }
  })

  it('pass one period early or late and no more, and then tell how wrong the clock is', () => {
    const [seconds, code] = VECTORS[3]!
    const step = stepAt(at(seconds))
    for (const off of [-30, 0, 30])
      assert.deepEqual(judgeCode(SECRET, code, at(seconds + off)), { kind: 'right', step })
    for (const off of [-600, -60, 60, 600]) {
      assert.deepEqual(judgeCode(SECRET, code, at(seconds + off)), { kind: 'wrongClock', step, seconds: -off })
    }
    assert.deepEqual(judgeCode(SECRET, code, at(seconds + 630)), { kind: 'wrong' })
  })

  it('have six digits', () => {
    for (const code of ['', '05924', '0005924', '005 924', '００５９２４', 'abcdef', '5924', '005924\n']) {
      assert.deepEqual(judgeCode(SECRET, code, at(1234567890)), { kind: 'wrong' }, JSON.stringify(code))
    }
  })
})

describe('the secret of an app', () => {
  it('has 160 bits and is found in the URL that it was put into', () => {
    const secret = newSecret(randomBytes)
    assert.match(secret, /^[A-Z2-7]{32}$/)
    const url = totpUrl({ issuer: 'Acme & Co', account: 'a+b@example.com', secret })
    assert.equal(secretOf(url), secret)
    assert.equal(new URL(url).searchParams.get('issuer'), 'Acme & Co')
    assert.equal(decodeURIComponent(new URL(url).pathname), '/Acme & Co:a+b@example.com')
  })

  it('is none where everybody could work out its codes, or where it is none', () => {
    const secrets = ['', '=', 'A', 'A'.repeat(513), '1', 'ABC!', ' ']
    for (const secret of secrets) assert.equal(secretOf(`otpauth://totp/a:b?secret=${secret}`), undefined, secret)
    for (const url of [undefined, null, 7, '', 'otpauth://totp/a:b', 'https://example.com/?secret=ABCDEFGH']) {
      assert.equal(secretOf(url), undefined, String(url))
    }
  })
})

describe('the picture', () => {
  it('is a PNG of 256 by 256 pixels, also for the longest names', () => {
    const name = 'ü'.repeat(5000)
    const image = qrImage(totpUrl({ issuer: name, account: name, secret: SECRET }))
    const bytes = Buffer.from(image.replace('data:image/png;base64,', ''), 'base64')
    assert.equal(bytes.subarray(0, 8).toString('hex'), '89504e470d0a1a0a')
    assert.deepEqual([bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes[24], bytes[25]], [256, 256, 1, 0])
    const length = bytes.readUInt32BE(33)
    assert.equal(bytes.subarray(37, 41).toString(), 'IDAT')
    assert.equal(inflateSync(bytes.subarray(41, 41 + length)).length, 256 * 33)
  })

  it('shows the URL', async () => {
    const { default: decodeQR } = await import('qr/decode.js')
    const url = totpUrl({ issuer: 'Lethe', account: 'someone@example.com', secret: SECRET })
    const png = Buffer.from(qrImage(url).replace('data:image/png;base64,', ''), 'base64')
    const rows = inflateSync(png.subarray(41, 41 + png.readUInt32BE(33)))
    const data = new Uint8Array(256 * 256 * 4)
    for (let i = 0; i < 256 * 256; i += 1) {
      const [x, y] = [i % 256, Math.floor(i / 256)]
      const light = (rows[y * 33 + 1 + (x >> 3)]! >> (7 - (x & 7))) & 1
      data.set([light * 255, light * 255, light * 255, 255], i * 4)
    }
    assert.equal(decodeQR({ width: 256, height: 256, data }), url)
  })
})
