import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope } from './db.ts'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

const PATH = `${process.env.PATH}:/usr/sbin`

export const haproxyVersion = /\d+\.\d+/.exec(
  spawnSync('haproxy', ['-v'], { encoding: 'utf8', env: { PATH } }).stdout ?? '',
)?.[0]

/**
 * HAProxy before nodes, set as the documentation says; ended with the test.
 * @returns `ready`: how many nodes it sends requests to
 */
export async function startHaproxy(t: Scope, nodes: readonly string[]) {
  const home = await mkdtemp(join(tmpdir(), 'lethe-haproxy-'))
  const [port, file] = [await freePort(), join(home, 'haproxy.cfg')]
  const servers = nodes.map((url, index) => `  server node${index + 1} ${new URL(url).host} check inter 500ms`)
  const counts = nodes.map((_, index) => {
    const many = nodes.length - index
    return `  http-request return status 200 content-type text/plain string ${many} if { path /ready } { nbsrv(lethe) ge ${many} }`
  })
  const lines = [
    ...['defaults', '  mode http', '  timeout connect 60s', '  timeout client 60s', '  timeout server 60s'],
    // By default a node is down that takes half a second to answer: the time between two checks.
    '  timeout check 60s',
    ...['frontend auth', `  bind 127.0.0.1:${port}`, '  default_backend lethe', ...counts],
    ...['backend lethe', '  option httpchk GET /health/ready', ...servers],
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH } })
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += chunk))
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
    await rm(home, { recursive: true, force: true })
  })
  const url = `http://127.0.0.1:${port}`
  const ready = async () => {
    const answer = await fetch(`${url}/ready`).catch(() => undefined)
    return answer?.status === 200 ? Number(await answer.text()) : 0
  }
  await until(async () => {
    if (child.exitCode !== null) throw new Error(errors)
    return (await ready()) === nodes.length
  }, 'HAProxy with all nodes')
  return { url, ready }
}
