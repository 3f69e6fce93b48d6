import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client, createPerson } from '../helpers/client.ts'
import { closingScope, postgres } from '../helpers/db.ts'
import { withFaults } from '../helpers/faulty-db.ts'
import { randomAddress } from '../helpers/mailbox.ts'
import { messagesOf } from '../helpers/messages.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const TRIES = 9
const KINDS = ['recovery', 'verification'] as const

/** Text, status, messages and work do not tell whether somebody has an address. */
for (const method of ['code', 'link'] as const) {
  for (const tells of [false, true]) {
    const wireConfig = { code: ['recovery', 'recovery-notify'], link: ['link', 'link-notify'] }[method][Number(tells)]!
    describe(`asking for a ${method}${tells ? ', where unknown recipients are told' : ''}`, () => {
      const scope = closingScope()
      const steps: string[] = []
      let server: TestServer
      before(async () => {
        const before = (step: string) => void steps.push(step)
        const db = withFaults(await postgres.open(scope), { before })
        // Last seen and the like would come in between; the limit is held elsewhere.
        const config = { 'watch-courier': false, lethe: { limits: { messages: { per_recipient: 0 } } } }
        const words = { smtp: '127.0.0.1:9', hook: 'http://127.0.0.1:9' }
        server = await testServer(scope, { db, wireConfig, config, words })
      })
      after(() => scope.close())

      /** @returns the answer without what differs by itself, the statements that it took, and processor time in µs */
      async function ask(kind: (typeof KINDS)[number], email: string) {
        const client = new Client(server)
        const { id } = (await client.get(`/self-service/${kind}/api`)).body
        steps.splice(0)
        const start = process.cpuUsage()
        const reply = await client.send('POST', `/self-service/${kind}?flow=${id}`, { json: { method, email } })
        const { user, system } = process.cpuUsage(start)
        const headers = [...reply.headers].filter(([name]) => name !== 'date' && name !== 'content-length')
        const { issued_at, expires_at, ...body } = reply.body
        const text = JSON.stringify([reply.status, headers, body]).replaceAll(id, 'FLOW').replaceAll(email, 'EMAIL')
        return { text, statements: steps.splice(0), time: user + system }
      }

      for (const kind of KINDS) {
        test(`${kind}: the same answer, by the same statements, in about the same time`, async () => {
          const known = []
          const unknown = []
          for (let i = 0; i < TRIES; i++) {
            const person = await createPerson(server)
            const nobody = randomAddress()
            known.push(await ask(kind, person.email))
            unknown.push(await ask(kind, nobody))
            assert.equal((await messagesOf(server, person.email)).length, 1)
            assert.equal((await messagesOf(server, nobody)).length, tells ? 1 : 0)
          }
          const [one, other] = [known[0]!, unknown[0]!]
          assert.equal(one.text.replaceAll(/\d{10,}/g, 'N'), other.text.replaceAll(/\d{10,}/g, 'N'))
          const steps = (list: string[]) => list.map((name) => name.replace(/^courier\.(keep|undo)$/, 'courier.end'))
          for (const each of [...known, ...unknown]) assert.deepEqual(steps(each.statements), steps(one.statements))
          const median = (all: { time: number }[]) => all.map(({ time }) => time).sort((a, b) => a - b)[TRIES >> 1]!
          const ratio = median(known) / median(unknown)
          assert.ok(ratio < 2 && ratio > 0.5, `known ${median(known)} µs, unknown ${median(unknown)} µs`)
        })
      }
    })
  }
}
