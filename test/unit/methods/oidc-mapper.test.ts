import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SECOND, systemClock } from '../../../src/kernel/base/clock.ts'
import { createMappers } from '../../../src/methods/oidc/mapper.ts'

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
})
