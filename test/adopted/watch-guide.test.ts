import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { folder } from '../cli/folder.ts'
import { run, start } from '../cli/run.ts'
import { createKratosDatabase } from '../helpers/db.ts'
import { freePort } from '../helpers/free-port.ts'
import { connectAsKratos, kratosWrites } from '../helpers/kratos-writes.ts'
import { LIVE, liveConfig } from '../helpers/live-kratos.ts'
import { startReceiver } from '../helpers/receiver.ts'
import { until } from '../helpers/until.ts'

const root = new URL('../../', import.meta.url)
const read = (file: string) => readFileSync(new URL(file, root), 'utf8')

/** The commands of the guide for a database that is there. */
const commands = [...read('docs/beside-kratos.md').matchAll(/```sh\n(.*?)```/gs)]
  .flatMap(([, text]) => text!.trim().split('\n'))
  .filter((line) => line.startsWith('lethe '))
  .map((line) => line.split(' ').slice(1))

test('the commands of docs/beside-kratos.md lead from a database of Kratos to the first webhook', async (t) => {
  const started = performance.now()
  const DSN = await createKratosDatabase(t)
  const dir = await folder(t)
  const receiver = await startReceiver(t)
  const lethe = parse(read('config/examples/beside-kratos.yaml'))
  lethe.lethe.events.webhooks[0].url = receiver.url
  const files = { 'kratos.yaml': liveConfig(), 'lethe.yaml': lethe }
  for (const [name, tree] of Object.entries(files)) await writeFile(join(dir, name), JSON.stringify(tree))
  const env = { DSN, SERVE_PUBLIC_PORT: String(await freePort()), SERVE_ADMIN_PORT: String(await freePort()) }
  const inFolder = (args: string[]) => args.map((arg) => (arg in files ? join(dir, arg) : arg))
  assert.deepEqual(
    commands.map(([first, second]) => `${first} ${second}`),
    ['adopt check', 'migrate sql', 'adopt watch', 'serve -c'],
  )
  for (const args of commands.slice(0, -1)) {
    const { code, stderr } = await run(inFolder(args), { env, input: 'yes\n' })
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`)
  }
  const { child, ended } = start(inFolder(commands.at(-1)!), { env })
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  // a receiver is told what happens from its first start on
  const ready = `http://127.0.0.1:${env.SERVE_ADMIN_PORT}/health/ready`
  await until(
    () =>
      fetch(ready).then(
        ({ status }) => status === 200,
        () => child.exitCode !== null && assert.fail(),
      ),
    'a node that is ready',
  )
  const client = await connectAsKratos(t, DSN)
  const kratos = kratosWrites(client, LIVE.network_id)
  const id = await kratos.signIn(await kratos.newIdentity())
  await kratos.revoke(id)
  const told = () => receiver.received.map(({ event }) => event).filter(({ session_id }) => session_id === id)
  await until(() => told().length === 2, 'both events')
  assert.deepEqual(
    told().map(({ type, cause, session_id }) => [type, cause, session_id]),
    [
      ['session.created', null, id],
      ['session.ended', 'ended_elsewhere', id],
    ],
  )
  t.diagnostic(`first webhook after ${Math.round(performance.now() - started)} ms`)
})
