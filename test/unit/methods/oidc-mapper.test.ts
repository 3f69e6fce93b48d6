import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { JsonObject } from '../../../src/identities/types.ts'
import { SECOND, systemClock } from '../../../src/kernel/base/clock.ts'
import { createMappers } from '../../../src/methods/oidc/mapper.ts'
import { leastCpuMs } from '../../helpers/cost.ts'

const mapperOf = (name: string) => `{ identity: { traits: { name: '${name}' } } }`

/** Mappers at addresses whose text changes; `texts` without an address: it cannot be read. */
function stage() {
  const texts = new Map<string, string>()
  const asked: string[] = []
  const real = systemClock()
  const now = { late: 0, config: {} }
  const mappers = createMappers({
    config: () => now.config,
    clock: { ...real, now: () => real.now() + now.late },
    async loadText(url) {
      asked.push(url)
      return texts.get(url) ?? Promise.reject(new Error('cannot be read'))
    },
  })
  const nameBy = async (url: string) => (await mappers.map(url, { iss: 'i', sub: 's' })).traits.name
  return { texts, asked, now, nameBy }
}

/** @param text of a mapper */
const mapped = (text: string, claims: JsonObject) =>
  createMappers({ config: () => ({}), clock: systemClock(), loadText: async () => text }).map('file://./m', claims)

const REMOTE = 'https://mappers.example/one.jsonnet'

describe('mappers of claims', () => {
  it('of another server are asked for once, and anew after a reload or an hour', async () => {
    const { texts, asked, now, nameBy } = stage()
    texts.set(REMOTE, mapperOf('first'))
    assert.deepEqual([await nameBy(REMOTE), await nameBy(REMOTE), asked.length], ['first', 'first', 1])
    texts.set(REMOTE, mapperOf('second'))
    assert.equal(await nameBy(REMOTE), 'first')
    now.config = {}
    assert.equal(await nameBy(REMOTE), 'second')
    texts.set(REMOTE, mapperOf('third'))
    now.late = 3601 * SECOND
    assert.equal(await nameBy(REMOTE), 'third')
  })

  it('go on as they were while their server does not answer', async () => {
    const { texts, asked, now, nameBy } = stage()
    texts.set(REMOTE, mapperOf('first'))
    await nameBy(REMOTE)
    texts.delete(REMOTE)
    now.late = 3601 * SECOND
    assert.deepEqual([await nameBy(REMOTE), await nameBy(REMOTE), asked.length], ['first', 'first', 2])
    await assert.rejects(nameBy('https://mappers.example/other.jsonnet'), { status: 500 })
  })

  it('in files follow each change', async () => {
    const { texts, nameBy } = stage()
    for (const name of ['first', 'second']) {
      texts.set('file://./mapper.jsonnet', mapperOf(name))
      assert.equal(await nameBy('file://./mapper.jsonnet'), name)
    }
  })

  it('are few at a time, however many there have been', async () => {
    const { texts, asked, nameBy } = stage()
    const urls = Array.from({ length: 450 }, (_, at) => `https://mappers.example/${at}`)
    for (const url of urls) {
      texts.set(url, mapperOf(url))
      assert.equal(await nameBy(url), url)
    }
    await nameBy(urls[0]!)
    assert.equal(asked.length, 451)
  })

  it('of the documentation verify only what the provider vouches for', async () => {
    const page = readFileSync(new URL('../../../docs/providers.md', import.meta.url), 'utf8')
    const [usual = '', microsoft = ''] = [...page.matchAll(/```jsonnet\n(.*?)```/gs)].map(([, text]) => text)
    const address = { iss: 'i', sub: 's', email: 'ada@example.org' }
    const verifiedBy = async (text: string, claims: JsonObject) => {
      const { traits, verified } = await mapped(text, claims)
      assert.deepEqual(traits, 'email' in claims ? { email: 'ada@example.org' } : {})
      return verified.map(({ value }) => value)
    }
    assert.deepEqual(await verifiedBy(usual, { ...address, email_verified: true }), ['ada@example.org'])
    assert.deepEqual(await verifiedBy(usual, address), [])
    assert.deepEqual(await verifiedBy(usual, { iss: 'i', sub: 's', email_verified: true }), [])
    const entra = (raw_claims: JsonObject) => verifiedBy(microsoft, { ...address, email_verified: true, raw_claims })
    for (const xms_edov of [true, 1, 'true', '1']) assert.deepEqual(await entra({ xms_edov }), ['ada@example.org'])
    for (const xms_edov of [false, 0, '', 'yes', null, [true]]) assert.deepEqual(await entra({ xms_edov }), [])
    assert.deepEqual(await entra({}), [])
  })

  it('get hostile claims as data, and are not run on more than they can read', async () => {
    const all = "local claims = std.extVar('claims'); { identity: { traits: { all: claims.raw_claims } } }"
    const hostile = JSON.parse(
      `{"__proto__":{"admin":true},"constructor":{"prototype":{}},"toString":1,"$":"std.extVar('claims')","n":12345678901234567890,"q":"'}]});"}`,
    )
    const { traits } = await mapped(all, { raw_claims: hostile })
    assert.deepEqual(Object.keys(traits.all as object).sort(), Object.keys(hostile).sort())
    assert.equal(Object.getPrototypeOf(traits), Object.prototype)
    assert.equal((Object.prototype as { admin?: boolean }).admin, undefined)
    const many = mapped(all, { raw_claims: { list: new Array(9000).fill(0) } })
    await assert.rejects(many, { status: 500 })
    for (const size of [60_000, 70_000, 1_000_000]) {
      const run = mapped(all, { raw_claims: { text: 'x'.repeat(size) } })
      if (size < 65_536) await run
      else await assert.rejects(run, { status: 400, reason: /more about the person than the 64 KiB/ })
    }
    const times: number[] = []
    for (const count of [500, 1000, 2000]) {
      const raw_claims = Object.fromEntries(Array.from({ length: count }, (_, at) => [`m${at}`, at]))
      times.push(await leastCpuMs(() => mapped(all, { raw_claims })))
    }
    assert.ok(times[2]! < 16 * Math.max(times[0]!, 5), `not linear: ${times}`)
  })
})
