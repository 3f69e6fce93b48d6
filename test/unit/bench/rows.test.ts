import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { endableOf, endRow, groupsOf, halvesOf, readRow, STRIDE } from '../../../bench/rows.ts'
import { requestsPerUnit, turn } from '../../../bench/workloads.ts'

describe('sessions of the benchmark', () => {
  for (const sessions of [400, 2001, 8 * STRIDE, 50_000]) {
    it(`end once each, and are not those that are read, of ${sessions}`, () => {
      const { server, bare } = halvesOf(sessions)
      const seen = new Map<number, string>()
      for (const [name, half] of Object.entries({ server, bare })) {
        for (let k = 0; k < endableOf(half); k++) {
          const row = endRow(half, k)
          assert.equal(seen.get(row), undefined, `session ${row} ends twice`)
          seen.set(row, `ended by ${name}`)
        }
        for (let k = 0; k < groupsOf(half); k++) {
          const row = readRow(half, k)
          assert.equal(seen.get(row), undefined, `session ${row} is read, and ${seen.get(row)}`)
          seen.set(row, `read by ${name}`)
        }
      }
      assert.ok(Math.min(...seen.keys()) >= 1 && Math.max(...seen.keys()) <= sessions)
      assert.ok(seen.size > sessions * 0.98 - 8, `only ${seen.size} are used`)
    })
  }

  it('run out rather than begin again', () => {
    const { server: half } = halvesOf(400)
    const work = { plan: 'native-logout', half, sessions: 400, secret: 'x'.repeat(16) } as const
    assert.equal(turn(work, endableOf(half) - 1)?.length, requestsPerUnit('native-logout'))
    assert.equal(turn(work, endableOf(half)), undefined)
  })
})

describe('answers that the benchmark takes', () => {
  const half = { first: 1, size: 400 }
  const [step] = turn({ plan: 'whoami-token', half, sessions: 400, secret: '' }, 0)!
  const id = '00000000-0000-4000-8000-000000000001'
  const identity = '00000000-0000-4000-9000-000000000002'

  for (const [what, answer, fits] of [
    ['the session of that token', `HTTP/1.1 200 OK\r\n\r\n{"id":"${id}","identity":{"id":"${identity}"}}`, true],
    ['one of somebody else', `HTTP/1.1 200 OK\r\n\r\n{"id":"${id}","identity":{"id":"${id}"}}`, false],
    ['another one', `HTTP/1.1 200 OK\r\n\r\n{"id":"${identity}","identity":{"id":"${identity}"}}`, false],
    ['a refusal', `HTTP/1.1 401 Unauthorized\r\n\r\n{"id":"${id}","identity":{"id":"${identity}"}}`, false],
    ['nothing', 'closed', false],
  ] as const) {
    it(`${fits ? 'are' : 'are not'} ${what}`, () => assert.equal(step!.fits(answer), fits))
  }

  it('tell the token that the next request needs', () => {
    const secret = 'a-secret-of-16-characters'
    const [init, out] = turn({ plan: 'browser-logout', half, sessions: 400, secret }, 0)!
    const answer = 'HTTP/1.1 200 OK\r\n\r\n{"logout_url":"http://x/","logout_token":"ory_lo_abc"}'
    assert.equal(init!.fits(answer), true)
    assert.match(out!.request(answer), /^GET \/self-service\/logout\?token=ory_lo_abc HTTP/)
  })
})
