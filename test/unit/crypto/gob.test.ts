import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeGobMap, encodeGobMap } from '../../../src/kernel/crypto/cookies/gob.ts'
import fc from '../../helpers/fast-check.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
/** definition of a map with type id 64, as a Go program writes it */
const DEFINITION = '0d 7f0401 02ff80 00 0110 0110 0000'
const ENTRY_KEY = '06737472696e67 0c 03 00 01 6b'
const ENTRY_VALUE = '06737472696e67 0c 03 00 01 76'

describe('gob maps', () => {
  it('reads what a Go program writes', () => {
    assert.deepEqual(decodeGobMap(hex(`${DEFINITION} 1c ff80 00 01 ${ENTRY_KEY} ${ENTRY_VALUE}`)), { k: 'v' })
  })

  it('writes the documented bytes', () => {
    const expected = `0e ff81 0401 02ff82 00 0110 0110 0000 1c ff82 00 01 ${ENTRY_KEY} ${ENTRY_VALUE}`
    assert.equal(encodeGobMap({ k: 'v' }).toString('hex'), hex(expected).toString('hex'))
  })

  it('skips foreign type definitions, nil entries and values of other types', () => {
    const other = '04 81 04 00 00'.replaceAll(' ', '')
    const int = '03696e74 04 02 00 54'
    const body = `ff80 00 03 ${ENTRY_KEY} ${int} ${ENTRY_KEY} 00 ${ENTRY_KEY} ${ENTRY_VALUE}`
    const length = hex(body).length.toString(16)
    assert.deepEqual(decodeGobMap(hex(`${DEFINITION} ${length} ${body}`)), { k: 'v' })
    assert.equal(decodeGobMap(hex(other)), undefined)
  })

  it('keeps a key named __proto__ an ordinary key', () => {
    const back = decodeGobMap(encodeGobMap(JSON.parse('{"__proto__":"x"}')))!
    assert.deepEqual(Object.keys(back), ['__proto__'])
    assert.equal(Object.getPrototypeOf(back), Object.prototype)
  })

  it('round-trips any strings', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 400 })
    fc.assert(
      fc.property(fc.dictionary(text, text), (values) => {
        const back = decodeGobMap(encodeGobMap(values))!
        assert.deepEqual(new Map(Object.entries(back)), new Map(Object.entries(values)))
      }),
    )
  })

  it('gives undefined for every truncation and never throws on garbage', () => {
    const whole = encodeGobMap({ session_token: 'ory_st_x', nonce: 'n' })
    for (let n = 0; n < whole.length; n++) assert.equal(decodeGobMap(whole.subarray(0, n)), undefined, `${n} bytes`)
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => decodeGobMap(bytes) === undefined))
    const damaged = fc.tuple(fc.nat(whole.length - 1), fc.nat(255))
    fc.assert(
      fc.property(damaged, ([at, byte]) => {
        const copy = Buffer.from(whole)
        copy[at] = byte
        const read = decodeGobMap(copy)
        assert.ok(read === undefined || typeof read === 'object')
      }),
    )
  })

  it('does not believe a length or a count', () => {
    assert.equal(decodeGobMap(hex('f8ffffffffffffffff')), undefined)
    assert.equal(decodeGobMap(hex(`${DEFINITION} 07 ff80 00 fcffffffff`)), undefined)
  })
})
