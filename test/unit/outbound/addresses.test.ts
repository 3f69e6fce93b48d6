import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isPrivateAddress } from '../../../src/kernel/outbound/addresses.ts'
import fc from '../../helpers/fast-check.ts'

const CLOSED_4 = [
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.9.9.9'],
  ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.1', '192.0.0.170', '192.0.2.1', '192.88.99.1'],
  ...['192.168.0.1', '198.18.0.1', '198.19.255.255', '198.51.100.7', '203.0.113.255', '224.0.0.1', '239.1.1.1'],
  ...['240.0.0.1', '255.255.255.255'],
]
const OPEN_4 = [
  ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255'],
  ...['128.0.0.1', '169.253.0.1', '172.15.0.1', '172.32.0.1', '192.0.1.1', '192.0.3.1', '192.88.98.1', '192.167.0.1'],
  ...['198.17.0.1', '198.20.0.1', '198.51.99.1', '203.0.112.1', '223.255.255.255'],
]
const CLOSED_6 = [
  ...['::', '::1', 'fc00::1', 'fdff::1', 'fe80::1', 'fe80::1%eth0', 'febf::1', 'fec0::1', 'feff::1', 'ff02::1'],
  ...['100::1', '100:0:0:1::1', '64:ff9b:1::', '64:ff9b:1::808:808', '64:ff9b:1:ffff::8.8.8.8', '5f00::1', '4000::1'],
  ...[
    '2001::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '2001:2::1',
    '2001:10::1',
    '2001:db8::1',
    '3fff::1',
    '3fff:fff::1',
  ],
]
const OPEN_6 = ['2606:4700:4700::1111', '2001:4860:4860::8888', '2a00:1450::1', '3ffe::1', '2400:cb00::1']

describe('addresses that are closed', () => {
  test('by the registries of special-purpose addresses', () => {
    assert.deepEqual(
      CLOSED_4.filter((a) => !isPrivateAddress(a)),
      [],
    )
    assert.deepEqual(
      CLOSED_6.filter((a) => !isPrivateAddress(a)),
      [],
    )
    assert.deepEqual([...OPEN_4, ...OPEN_6].filter(isPrivateAddress), [])
  })

  test('what is no address is closed', () => {
    for (const text of ['', 'localhost', '1.2.3', '1.2.3.4.5', '::g', '127.1']) assert.ok(isPrivateAddress(text), text)
  })

  /** Ways to write an IPv4 address into an IPv6 address. */
  const hex = (a: number, b: number) => ((a << 8) | b).toString(16)
  const forms: Record<string, (a: number, b: number, c: number, d: number) => string> = {
    mapped: (...bytes) => `::ffff:${bytes.join('.')}`,
    'mapped, in hexadecimal': (a, b, c, d) => `::ffff:${hex(a, b)}:${hex(c, d)}`,
    'mapped, written out': (a, b, c, d) => `0:0:0:0:0:ffff:${hex(a, b)}:${hex(c, d)}`,
    compatible: (...bytes) => `::${bytes.join('.')}`,
    translated: (...bytes) => `::ffff:0:${bytes.join('.')}`,
    NAT64: (...bytes) => `64:ff9b::${bytes.join('.')}`,
    'NAT64, in hexadecimal': (a, b, c, d) => `64:ff9b:0:0:0:0:${hex(a, b)}:${hex(c, d)}`,
    '6to4': (a, b, c, d) => `2002:${hex(a, b)}:${hex(c, d)}::1`,
  }
  for (const [name, form] of Object.entries(forms)) {
    test(`an IPv4 address inside an IPv6 address is what counts: ${name}`, () => {
      for (const address of CLOSED_4) {
        const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number]
        assert.ok(isPrivateAddress(form(a, b, c, d)), form(a, b, c, d))
      }
      const byte = fc.integer({ min: 0, max: 255 })
      fc.assert(
        fc.property(byte, byte, byte, byte, (a, b, c, d) => {
          assert.equal(isPrivateAddress(form(a, b, c, d)), isPrivateAddress([a, b, c, d].join('.')), form(a, b, c, d))
        }),
      )
    })
  }
})
