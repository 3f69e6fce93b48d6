import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { Agent, get, type IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import type { Scope } from '../helpers/db.ts'
import { createDatabase, openAt } from '../helpers/db.ts'
import { freePort } from '../helpers/free-port.ts'
import { mailbox, randomAddress } from '../helpers/mailbox.ts'
import { testServer, WIRE_CONFIGS } from '../helpers/server.ts'
import { until } from '../helpers/until.ts'
import { folder } from './folder.ts'
import { lastLine, run, start } from './run.ts'

async function setup(t: Scope) {
  const [publicPort, adminPort] = [await freePort(), await freePort()]
  const file = `${await folder(t)}/kratos.json`
  const url = (port: number) => `http://127.0.0.1:${port}`
  const text = JSON.stringify(WIRE_CONFIGS.default)
    .replaceAll('{{public}}', url(publicPort))
    .replaceAll('{{admin}}', url(adminPort))
  await writeFile(file, text)
  const env = {
    SERVE_PUBLIC_HOST: '127.0.0.1',
    SERVE_PUBLIC_PORT: String(publicPort),
    SERVE_ADMIN_HOST: '127.0.0.1',
    SERVE_ADMIN_PORT: String(adminPort),
  }
  return { file, env, admin: url(adminPort), public: url(publicPort), publicPort }
}

/** The answer's status once there is one; the test ends when the process does. */
async function untilStatus(url: string, wanted: number, ended: Promise<unknown>): Promise<void> {
  let over = false
  ended.then(() => (over = true))
  await until(async () => {
    if (over) throw new Error(`the process ended: ${JSON.stringify(await ended)}`)
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => 0,
    )
    return status === wanted
  }, `${wanted} from ${url}`)
}

describe('serve', () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    it(`runs as the chart runs it, until ${signal}`, async (t) => {
      const { file, env, ...urls } = await setup(t)
      const DSN = await createDatabase(t, { migrated: true })
      const { child, ended } = start(['serve', 'all', '--dev', '--config', file, '--watch-courier'], {
        env: { ...env, DSN },
      })
      t.after(() => child.kill('SIGKILL'))
      await untilStatus(`${urls.admin}/health/ready`, 200, ended)
      assert.equal((await fetch(`${urls.public}/sessions/whoami`)).status, 401)
      child.kill(signal)
      const { code, stdout } = await ended
      assert.equal(code, 0, stdout)
    })
  }

  it('stops in order, and says that it did not want to, when nobody reads its log any more', async (t) => {
    const { file, env, ...urls } = await setup(t)
    const DSN = await createDatabase(t, { migrated: true })
    const { child, ended } = start(['serve', '-c', file], { env: { ...env, DSN, LOG_LEVEL: 'info' } })
    t.after(() => child.kill('SIGKILL'))
    await untilStatus(`${urls.admin}/health/ready`, 200, ended)
    child.stdout?.destroy()
    // Makes a line of the log. That of the look before may have been the one that found no reader: then a server that
    // stops meets this request, which may be cut off.
    await fetch(`${urls.public}/sessions/whoami`).catch(() => undefined)
    const { code, stderr } = await ended
    assert.equal(code, 1)
    assert.match(stderr, /the log could not be written \(EPIPE\)/)
  })

  it('goes on while its log cannot be written', { skip: !existsSync('/dev/full') }, async (t) => {
    const { file, env, ...urls } = await setup(t)
    const DSN = await createDatabase(t, { migrated: true })
    const { child, ended } = start(['serve', '-c', file], {
      env: { ...env, DSN, LOG_LEVEL: 'info' },
      stdout: '/dev/full',
    })
    t.after(() => child.kill('SIGKILL'))
    await untilStatus(`${urls.admin}/health/ready`, 200, ended)
    child.kill('SIGTERM')
    const { code, stderr } = await ended
    assert.deepEqual([code, stderr.match(/the log could not be written \(ENOSPC\)/g)?.length], [0, 1])
    const short = await run(['version'], { stdout: '/dev/full' })
    assert.equal(short.code, 1)
    assert.match(short.stderr, /the output could not be written \(ENOSPC\)/)
  })

  it('stops without failing a request: first not ready, then serving for a while, then closed', async (t) => {
    const { file, env, ...urls } = await setup(t)
    const DSN = await createDatabase(t, { migrated: true })
    const { child, ended } = start(['serve', '-c', file, '--drain-delay', '8s'], { env: { ...env, DSN } })
    t.after(() => child.kill('SIGKILL'))
    await untilStatus(`${urls.public}/health/ready`, 200, ended)
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    t.after(() => agent.destroy())
    const ask = (path: string) =>
      new Promise<IncomingMessage>((resolve, reject) => {
        get(`${urls.public}${path}`, { agent }, (res) => resolve(res.resume())).on('error', reject)
      })

    // A load balancer: it sends requests for as long as the node says that it is ready.
    let asked = 0
    const balancer = async () => {
      for (;;) {
        const ready = await ask('/health/ready')
        if (ready.statusCode !== 200) return ready
        for (const { statusCode } of await Promise.all(Array.from({ length: 8 }, () => ask('/sessions/whoami')))) {
          assert.equal(statusCode, 401)
          asked += 1
        }
      }
    }
    const noticed = balancer()
    await until(() => asked > 0)
    child.kill('SIGTERM')
    const red = await noticed
    assert.deepEqual([red.statusCode, red.headers['retry-after']], [503, '1'])
    // who has not noticed yet is served, and led away
    const late = await ask('/sessions/whoami')
    assert.deepEqual([late.statusCode, late.headers.connection], [401, 'close'])
    assert.equal((await ended).code, 0)
  })

  it('a drain that is no duration is refused', async (t) => {
    const { file } = await setup(t)
    const { code, stderr } = await run(['serve', '-c', file, '--drain-delay', 'soon'])
    assert.equal(code, 1)
    assert.match(stderr, /--drain-delay.*no duration/)
  })

  it('waits for its tables, and takes them from a migration that runs beside it', async (t) => {
    const { file, env, admin } = await setup(t)
    const DSN = await createDatabase(t, { migrated: false })
    const { child, ended } = start(['-c', file, 'serve'], { env: { ...env, DSN } })
    t.after(() => child.kill('SIGKILL'))
    await untilStatus(`${admin}/health/ready`, 503, ended)
    assert.equal((await run(['migrate', 'sql', 'up', '-e', '--yes'], { env: { DSN } })).code, 0)
    await untilStatus(`${admin}/health/ready`, 200, ended)
    child.kill('SIGTERM')
    assert.equal((await ended).code, 0)
  })

  it('makes its tables with --migrate', async (t) => {
    const { file, env, admin } = await setup(t)
    const DSN = await createDatabase(t, { migrated: false })
    const { child, ended } = start(['serve', '-c', file, '--migrate'], { env: { ...env, DSN } })
    t.after(() => child.kill('SIGKILL'))
    await untilStatus(`${admin}/health/ready`, 200, ended)
    child.kill('SIGTERM')
    assert.equal((await ended).code, 0)
  })

  it('ends with 1 when the configuration or a port cannot be had', async (t) => {
    const missing = await run(['serve', '-c', '/nowhere/kratos.yaml'])
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /^\/nowhere\/kratos\.yaml\n\^-- cannot be read: no such file/)

    const { file, env, publicPort } = await setup(t)
    const taken = createServer().listen(publicPort, '127.0.0.1')
    t.after(async () => void taken.close())
    const DSN = await createDatabase(t, { migrated: true })
    const busy = await run(['serve', '-c', file], { env: { ...env, DSN } })
    assert.equal(busy.code, 1)
    assert.match(lastLine(busy.stderr) ?? '', /address already in use/)
  })
})

describe('courier watch', () => {
  it('sends what is queued, opens no port, and ends when it is asked to', async (t) => {
    const DSN = await createDatabase(t, { migrated: true })
    const { file, env } = await setup(t)
    const box = await mailbox(t)
    const beside = await testServer(t, { db: await openAt(t, DSN) })
    const to = randomAddress()
    const data = { to, recovery_code: '012345' }
    await beside.deps.courier.enqueue({ type: 'recovery_code_valid', channel: 'email', recipient: to, data })
    const args = ['courier', 'watch', '--config', file, '--expose-metrics-port', '4434']
    const COURIER_SMTP_CONNECTION_URI = `smtp://127.0.0.1:${box.port}/?disable_starttls=true`
    const { child, ended } = start(args, { env: { ...env, DSN, COURIER_SMTP_CONNECTION_URI } })
    t.after(() => child.kill('SIGKILL'))
    await until(() => box.mails.length === 1, 'the mail')
    assert.equal(await fetch(`http://127.0.0.1:${env.SERVE_PUBLIC_PORT}/health/alive`).catch(() => 'none'), 'none')
    child.kill('SIGTERM')
    assert.equal((await ended).code, 0)
    assert.equal(box.mails[0]!.to, to)
  })

  it('says what is wrong with its configuration', async () => {
    const { code, stderr } = await run(['courier', 'watch', '--config', '/nowhere.yaml'])
    assert.equal(code, 1)
    assert.match(stderr, /nowhere\.yaml/)
  })
})
