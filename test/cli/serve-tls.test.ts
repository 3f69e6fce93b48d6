import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { get } from 'node:https'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { lastLine, run, start } from './run.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url))
const CONFIG = fileURLToPath(new URL('../../kratos.yaml', import.meta.url))

/** Two ports that nobody uses, on the loopback. */
async function ports() {
  const free = async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    await new Promise((resolve) => server.close(resolve))
    return port
  }
  const numbers = { public: await free(), admin: await free() }
  const env = {
    DSN: 'memory',
    SERVE_PUBLIC_HOST: '127.0.0.1',
    SERVE_PUBLIC_PORT: String(numbers.public),
    SERVE_ADMIN_HOST: '127.0.0.1',
    SERVE_ADMIN_PORT: String(numbers.admin),
    SERVE_PUBLIC_TLS_CERT_PATH: fixture('a.crt'),
    SERVE_PUBLIC_TLS_KEY_PATH: fixture('a.key'),
  }
  return { ...numbers, env }
}

function statusOverTls(port: number, ca: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/health/ready', ca, agent: false }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    request.on('error', () => resolve(0))
  })
}

describe('serve with TLS', () => {
  it('speaks it on the port that has a certificate, and plain HTTP on the other', async (t) => {
    const { env, ...port } = await ports()
    const { child, ended } = start(['serve', '-c', CONFIG, '--dev'], { env })
    t.after(() => child.kill('SIGKILL'))
    const ca = await readFile(fixture('a.crt'))
    let over = false
    ended.then(() => (over = true))
    while (!over && (await statusOverTls(port.public, ca)) !== 200) await sleep(100)
    assert.ok(!over, JSON.stringify(over && (await ended)))
    assert.equal((await fetch(`http://127.0.0.1:${port.admin}/health/ready`)).status, 200)
    child.kill('SIGTERM')
    assert.equal((await ended).code, 0)
  })

  it('does not start without the file, and says which', async () => {
    const { env } = await ports()
    const { code, stderr } = await run(['serve', '-c', CONFIG, '--dev'], {
      env: { ...env, SERVE_PUBLIC_TLS_CERT_PATH: '/nonexistent/tls.crt' },
    })
    assert.equal(code, 1)
    assert.match(lastLine(stderr)!, /serve\.public\.tls\.cert\.path: \/nonexistent\/tls\.crt cannot be read \(ENOENT\)/)
  })
})
