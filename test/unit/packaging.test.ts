import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { describe, it } from 'node:test'
import { parse } from 'yaml'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const exists = (path: string) => existsSync(new URL(path, root))

describe('the image', () => {
  const dockerfile = read('Dockerfile')
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) => match[1]!.split(' '))

  it('is built from files that are there and that .dockerignore lets through', () => {
    const passed = read('.dockerignore').match(/(?<=^!).+/gm) ?? []
    assert.ok(copied.includes('migrations') && copied.includes('src'))
    assert.deepEqual(
      copied.filter((path) => !exists(path)),
      [],
    )
    assert.deepEqual(
      copied.filter((path) => !passed.some((allowed) => path === allowed || path.startsWith(`${allowed}/`))),
      [],
    )
  })

  it('is called as that of Kratos is, and runs as nobody', () => {
    for (const name of Object.keys(JSON.parse(read('package.json')).bin))
      assert.match(dockerfile, new RegExp(`ln -s /opt/lethe/dist/cli\\.js /usr/local/bin/${name}\\b`))
    assert.match(dockerfile, /^ENTRYPOINT \["kratos"\]\nCMD \["serve"\]$/m)
    assert.match(dockerfile, /^USER 65532:65532$/m)
    assert.match(dockerfile, /^EXPOSE 4433 4434$/m)
  })

  for (const file of ['compose.yaml', 'compose.beside-kratos.yaml'])
    it(`is started by ${file} with files that are there, and opens ports to this machine only`, () => {
      startsFrom(file)
    })
})

describe('.ci/run', () => {
  it('is a program that bash can read', () => {
    const file = new URL('.ci/run', root)
    assert.ok(statSync(file).mode & 0o100, 'not executable')
    const { status, stderr } = spawnSync('bash', ['-n', file.pathname], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
  })
})

function startsFrom(file: string): void {
  const { services } = parse(read(file), { merge: true })
  const mounts: string[] = Object.values<{ volumes?: string[] }>(services).flatMap((service) => service.volumes ?? [])
  const files = mounts.map((mount) => mount.split(':')[0]!).filter((source) => source.startsWith('./'))
  assert.ok(files.length > 0)
  assert.deepEqual(
    files.filter((file) => !exists(file)),
    [],
  )
  for (const port of services.lethe.ports) assert.match(port, /^127\.0\.0\.1:/)
  assert.equal(services.lethe.environment.DSN, services.migrate.environment.DSN)
}
