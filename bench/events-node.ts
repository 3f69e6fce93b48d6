/**
 * One server of `bench/events.ts`, driven by messages of its parent. With `withoutLog` the statements that end sessions
 * lose the part that appends to the log of events, so that its price can be seen; nothing else differs.
 */
import type { Db } from '../src/kernel/db/client.ts'
import { openDb } from '../src/kernel/db/open.ts'
import type { Session } from '../src/sessions/types.ts'
import { testServer } from '../test/helpers/server.ts'
import { signedIn } from '../test/helpers/sessions.ts'

export interface NodeOptions {
  dsn: string
  withoutLog?: boolean
  config?: Record<string, unknown>
}

export type Command =
  | { do: 'issue'; count: number; concurrency: number }
  | { do: 'logout'; tokens: string[]; concurrency: number }
  | { do: 'workload'; operations: number; concurrency: number; seed: number }
  | { do: 'memory' }

const options: NodeOptions = JSON.parse(process.argv[2]!)
const real = await openDb(options.dsn, { maxConnections: 16 })
const db = options.withoutLog === true ? withoutLog(real) : real
const server = await testServer({ after() {} }, { db, config: options.config ?? {} })
for (const work of server.deps.background) work.start()
const known: { session: Session; token: string }[] = []

process.on('message', async (command: Command) => {
  process.send!(await run(command))
})
process.on('disconnect', () => process.exit())
process.send!({ publicUrl: server.publicUrl, adminUrl: server.adminUrl, pid: process.pid })

async function run(command: Command): Promise<unknown> {
  switch (command.do) {
    case 'issue': {
      const first = await signedIn(server)
      const { identity } = first.session
      await parallel(command.count, command.concurrency, async () => void known.push(await signedIn(server, identity)))
      const made = known.splice(0)
      return made.map(({ session, token }) => ({ id: session.id, token }))
    }
    case 'logout': {
      const started = performance.now()
      let ended = 0
      await parallel(command.tokens.length, command.concurrency, async (i) => {
        if (await server.deps.sessions.revokeByToken(command.tokens[i]!, 'logout')) ended += 1
      })
      return { ended, seconds: (performance.now() - started) / 1000 }
    }
    case 'workload':
      return workload(command)
    case 'memory':
      global.gc?.()
      return process.memoryUsage()
  }
}

/** Everything that begins, prolongs or ends sessions, at random and at once. */
async function workload({ operations, concurrency, seed }: Extract<Command, { do: 'workload' }>) {
  const { deps } = server
  let state = seed
  const draw = (n: number) => {
    state = (state * 48271) % 2147483647
    return Math.floor((state / 2147483647) * n)
  }
  for (let i = 0; i < 20; i++) known.push(await signedIn(server))
  await parallel(operations, concurrency, async () => {
    const { session, token } = known[draw(known.length)]!
    switch (draw(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        // whose identity is deleted at that moment cannot sign in
        return void (await signedIn(server, draw(5) === 0 ? undefined : session.identity).then(
          (made) => known.push(made),
          () => {},
        ))
      case 4:
        return void (await deps.sessions.revoke(session, 'logout'))
      case 5:
        return void (await deps.sessions.revokeByToken(token, 'logout'))
      case 6:
        return void (await deps.sessionManagement.revoke(session.id).catch(() => {}))
      case 7:
        return void (await deps.sessionManagement.extend(session.id).catch(() => {}))
      case 8: {
        const path = `${server.adminUrl}/admin/identities/${session.identity_id}`
        const value = draw(2) === 0 ? 'active' : 'inactive'
        if (draw(20) === 0) return void (await deps.identities.remove(session.identity_id).catch(() => {}))
        const body = JSON.stringify([{ op: 'replace', path: '/state', value }])
        return void (await fetch(path, { method: 'PATCH', body, headers: { 'content-type': 'application/json' } }))
      }
      default:
        if (draw(10) === 0) {
          await deps.sessions.revokeAllOf(session.identity_id, 'revoked_by_user', { except: session.id })
        }
    }
  })
  return { operations }
}

async function parallel(count: number, concurrency: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let i = next++; i < count; i = next++) await work(i)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

function withoutLog(inner: Db): Db {
  const cut = /event as \([\s\S]*?on conflict do nothing\s*\), /
  let found = 0
  const query: Db['query'] = (statement, values) => {
    if (!statement.name.startsWith('session.revoke')) return inner.query(statement, values)
    const text = statement.text.replace(cut, '')
    if (text !== statement.text) found += 1
    // the parameters that only the log used must still have a type
    return inner.query({ name: `${statement.name}_bare`, text: typed(text) }, values)
  }
  return { ...inner, query }

  function typed(text: string): string {
    if (found === 0) throw new Error('the statements that end sessions are not as this bench knows them')
    return text.replace('with ', 'with unused as (select $4::timestamp), ')
  }
}
