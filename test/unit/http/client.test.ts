import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fastify from 'fastify'
import { networkOf, parseAddress } from '../../../src/kernel/base/address.ts'
import { type Client, installClient } from '../../../src/kernel/http/client.ts'
import fc from '../../helpers/fast-check.ts'

const CHAIN = '203.0.113.9, 198.51.100.7'

/** Whom a server with these proxies takes for the client. */
function server(trustedProxies: string[] = []) {
  const told: string[] = []
  const app = fastify()
  installClient(app, { trustedProxies, onUnnamedProxy: (peer) => told.push(peer) })
  app.get('/', async (req) => req.client)
  const ask = async (remoteAddress: string, headers: Record<string, string> = {}): Promise<Client> =>
    (await app.inject({ url: '/', remoteAddress, headers })).json()
  return { told, ask, address: async (...args: Parameters<typeof ask>) => (await ask(...args)).address }
}

describe('the address of a client', () => {
  for (const [written, address] of [
    ['192.0.2.7', '192.0.2.7'],
    [' 192.0.2.7 ', '192.0.2.7'],
    ['192.0.2.7:40001', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['[::FFFF:192.0.2.7]:443', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['2001:0DB8:0:0::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['"[2001:db8::1]:443"', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%eth0]:443', 'fe80::1'],
    ['2001:db8::1:443', '2001:db8::1:443'],
    ['', undefined],
    ['unknown', undefined],
    ['_hidden', undefined],
    ['not an address', undefined],
    ['192.0.2.7:', undefined],
    ['192.0.2.7:port', undefined],
    ['192.0.2.256', undefined],
    ['192.0.2', undefined],
    ['192.0.2.7, 192.0.2.8', undefined],
    ['<script>', undefined],
    ['1'.repeat(100_000), undefined],
    [`fe80::1%${'e'.repeat(100_000)}`, undefined],
  ] as const) {
    test(`${written.slice(0, 40)} is ${address ?? 'none'}`, () => assert.equal(parseAddress(written), address))
  }

  test('is the same however it is written, once read', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 65535 }), (ip, port) => {
        const address = parseAddress(ip)
        assert.ok(address !== undefined && address.length <= 45)
        assert.equal(parseAddress(address), address)
        assert.equal(parseAddress(ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`), address)
        assert.equal(parseAddress(ip.toUpperCase()), address)
      }),
    )
  })
})

describe('the network that limits count by', () => {
  for (const [name, one, other, same] of [
    ['two addresses of one IPv6 network', '2001:db8:1:2::1', '2001:db8:1:2:ffff:0:0:9', true],
    ['two spellings of one IPv6 address', '2001:db8::1', '2001:0DB8:0:0::1', true],
    ['two IPv6 networks', '2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['an IPv4 address and the same inside IPv6', '192.0.2.7', '::ffff:192.0.2.7', true],
    ['two IPv4 addresses inside IPv6', '::ffff:192.0.2.7', '::ffff:192.0.2.8', false],
    ['a link-local address with its zone', 'fe80::1%eth0', 'fe80::2', true],
    ['two people behind NAT64', '64:ff9b::192.0.2.7', '64:ff9b::192.0.2.8', false],
    ['an IPv4 address and the same behind NAT64', '64:ff9b::c000:207', '192.0.2.7', true],
    ['two IPv4 addresses', '192.0.2.7', '192.0.2.8', false],
    ['one address at two ports', '192.0.2.7:1', '192.0.2.7:2', true],
  ] as const) {
    test(`${name}: ${same ? 'the same' : 'not the same'}`, () => {
      const [a, b] = [one, other].map((text) => networkOf(parseAddress(text)!))
      assert.equal(a === b, same, `${a} and ${b}`)
    })
  }
})

describe('who is believed', () => {
  const headers = ['x-forwarded-for', 'true-client-ip', 'cf-connecting-ip', 'x-real-ip']

  test('nobody unless named', async () => {
    const { ask, told } = server(['10.0.0.0/8'])
    for (const header of [...headers, 'forwarded'])
      for (const peer of ['127.0.0.1', '192.0.2.1', '::1', '2001:db8::1'])
        assert.equal((await ask(peer, { [header]: '203.0.113.9' })).address, peer)
    assert.deepEqual(told, ['127.0.0.1'], 'and that is said once')
  })

  test('named proxies, up to the first address that is none of them', async () => {
    const forwarded = { 'x-forwarded-for': CHAIN }
    assert.equal(await server(['127.0.0.0/8', '::1']).address('127.0.0.1', forwarded), '198.51.100.7')
    assert.equal(await server(['127.0.0.0/8', '::1']).address('::1', forwarded), '198.51.100.7')
    assert.equal(await server(['127.0.0.1']).address('::ffff:127.0.0.1', forwarded), '198.51.100.7')
    assert.equal(await server(['127.0.0.1', '198.51.100.0/24']).address('127.0.0.1', forwarded), '203.0.113.9')
    const all = server(['0.0.0.0/0', '::/0'])
    assert.equal(await all.address('127.0.0.1', forwarded), '203.0.113.9', 'the first when all are named')
  })

  test('with a port, in brackets, from an intranet, and not what is no address', async () => {
    const { ask, address } = server(['127.0.0.1', '10.0.0.0/8'])
    const of = (value: string) => address('127.0.0.1', { 'x-forwarded-for': value })
    assert.equal(await of('203.0.113.7:51234, 10.0.0.5:4000'), '203.0.113.7')
    assert.equal(await of('[2001:db8::1]:443'), '2001:db8::1')
    assert.equal(await of('192.168.1.20, 10.0.0.5'), '192.168.1.20')
    assert.equal(await of('203.0.113.7, unknown'), '', 'what stands before is a claim of the client')
    assert.equal(await of('203.0.113.7, <script>, 10.0.0.5'), '')
    const hidden = await ask('127.0.0.1', { 'x-forwarded-for': 'unknown' })
    assert.deepEqual(hidden, { address: '', network: '', shared: true, believed: true })
  })

  test('other headers count where there is no X-Forwarded-For, since proxies hand on what they do not know', async () => {
    const { address } = server(['127.0.0.1'])
    for (const header of headers.slice(1)) {
      assert.equal(await address('127.0.0.1', { [header]: '198.51.100.77' }), '198.51.100.77')
      assert.equal(await address('127.0.0.1', { [header]: '[2001:db8::1]:80' }), '2001:db8::1')
      assert.equal(await address('127.0.0.1', { [header]: 'not an address' }), '')
      const forged = { [header]: '198.51.100.77', 'x-forwarded-for': '203.0.113.9' }
      assert.equal(await address('127.0.0.1', forged), '203.0.113.9')
    }
  })

  test('a chain of any length costs no more than its length', async () => {
    const { address } = server(['127.0.0.1', '10.0.0.0/8'])
    const forwarded = { 'x-forwarded-for': `203.0.113.9${', 10.0.0.1'.repeat(3000)}` }
    assert.equal(await address('127.0.0.1', forwarded), '203.0.113.9')
    assert.equal(await address('127.0.0.1', { 'x-forwarded-for': ','.repeat(30_000) }), '')
  })
})

describe('an address that many people share', () => {
  const cases: [string, string[], string, Record<string, string>, boolean][] = [
    ['an unnamed proxy on this machine', [], '127.0.0.1', { 'x-forwarded-for': CHAIN }, true],
    ['an unnamed proxy in the house', [], '10.1.2.3', { 'x-real-ip': '203.0.113.9' }, true],
    ['an unnamed proxy by IPv6', [], 'fd00::1', { forwarded: 'for=203.0.113.9' }, true],
    ['a named proxy that says nothing', ['10.0.0.0/8'], '10.1.2.3', {}, true],
    ['a named proxy that says who it is', ['10.0.0.0/8'], '10.1.2.3', { 'x-forwarded-for': CHAIN }, false],
    ['a client on this machine', [], '127.0.0.1', {}, false],
    ['a client in the house', [], '10.1.2.3', {}, false],
    ['a client far away that plays a proxy', [], '192.0.2.1', { 'x-forwarded-for': CHAIN }, false],
  ]
  for (const [name, proxies, peer, headers, shared] of cases) {
    test(`${name}: ${shared ? 'yes' : 'no'}`, async () => {
      assert.equal((await server(proxies).ask(peer, headers)).shared, shared)
    })
  }
})
