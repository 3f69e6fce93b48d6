import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, test } from 'node:test'
import fastify from 'fastify'
import type { Config } from '../../../src/config/schema/schema.ts'
import type { Logger } from '../../../src/kernel/base/log.ts'
import { listen } from '../../../src/ops/listen.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))
const log = { info() {} } as unknown as Logger

describe('a port listens on', { skip: hasIpv6 ? false : 'this machine has no IPv6' }, () => {
  for (const [host, reachedBy, bound] of [
    ...[
      ['[::]', '[::1]', '::'],
      ['[::1]', '[::1]', '::1'],
      ['::', '[::1]', '::'],
      ['::1', '[::1]', '::1'],
    ],
    ...[
      ['[::]', '127.0.0.1', '::'],
      ['0.0.0.0', '127.0.0.1', '0.0.0.0'],
      ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ],
    ['[0:0:0:0:0:0:0:1]', '[::1]', '::1'],
  ] as [string, string, string][]) {
    test(`${host}, and is reached by ${reachedBy}`, async (t) => {
      const app = fastify()
      app.get('/', () => 'here')
      t.after(() => app.close())
      const config = { serve: { public: { host, port: 0 } } } as Config
      await listen([{ name: 'public', app }], config, log)
      const { address, port } = app.server.address() as AddressInfo
      assert.equal(address, bound)
      assert.equal(await (await fetch(`http://${reachedBy}:${port}/`)).text(), 'here')
    })
  }
})
