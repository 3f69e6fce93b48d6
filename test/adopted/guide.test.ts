import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { folder } from '../cli/folder.ts'
import { CLI } from '../cli/run.ts'
import { createKratosDatabase, createRole, openAt, type Scope } from '../helpers/db.ts'
import { freePort } from '../helpers/free-port.ts'
import { LIVE, liveConfig } from '../helpers/live-kratos.ts'
import { until } from '../helpers/until.ts'

const GUIDE = await readFile(new URL('../../docs/migrate-from-kratos.md', import.meta.url), 'utf8')

interface Block {
  language: string
  text: string
  /** the heading that it stands under */
  section: string
}

const blocks: Block[] = [...GUIDE.matchAll(/^## (.*)$|^```(\w+)\n([\s\S]*?)^```$/gm)].reduce<{
  all: Block[]
  section: string
}>(
  (found, [, heading, language, text]) => {
    if (heading !== undefined) found.section = heading
    else found.all.push({ language: language!, text: text!, section: found.section })
    return found
  },
  { all: [], section: '' },
).all
const theOne = (language: string) => blocks.find((block) => block.language === language)!.text

/** The ports that the guide names, replaced by free ones. */
async function ports() {
  const map = new Map<string, string>()
  for (const port of ['4433', '4434', '4533', '4534', '8080']) map.set(port, String(await freePort()))
  return {
    of: (port: string) => map.get(port)!,
    in: (text: string) => text.replace(/\b(4433|4434|4533|4534|8080)\b/g, (port) => map.get(port)!),
  }
}

/** A slow machine takes longer to start than a reader would wait. */
const patient = (text: string) => text.replace('--retry 30 ', '--retry 300 ')

describe('the guide from Kratos to Lethe', () => {
  test('its commands do what it says, in their order', async (t) => {
    const role = await createRole(t)
    const url = await createKratosDatabase(t)
    const db = await openAt(t, url)
    // as if Kratos had stopped a while ago: the last step refuses otherwise
    await db.script(`update sessions set created_at = '2020-01-01'; update selfservice_login_flows set created_at = '2020-01-01';
      update selfservice_registration_flows set created_at = '2020-01-01'; update selfservice_settings_flows set created_at = '2020-01-01'`)
    const dir = await folder(t)
    const { in: withPorts, of } = await ports()
    const [publicPort, adminPort] = [Number(of('4433')), Number(of('4434'))]
    const config = liveConfig() as unknown as { serve: { public: object } }
    const serve = {
      public: { ...config.serve.public, host: '127.0.0.1', port: publicPort },
      admin: { host: '127.0.0.1', port: adminPort },
    }
    await writeFile(join(dir, 'kratos.yaml'), JSON.stringify({ ...config, serve }))
    const cookie = /ory_kratos_session=([^;]+)/.exec(LIVE.sessions['alice-browser-1']!.cookie!)![1]!
    await writeFile(join(dir, 'cookie.txt'), `${cookie}\n`)
    await writeFile(join(dir, 'lethe'), `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`)
    await chmod(join(dir, 'lethe'), 0o755)

    const shell = startShell(t, dir, { DSN: url, PATH: `${dir}:${process.env.PATH}` })
    const outputs: Record<string, string> = {}
    for (const { language, text, section } of blocks) {
      if (language === 'sh') outputs[section] = (outputs[section] ?? '') + (await shell.run(patient(withPorts(text))))
      if (language !== 'sql') continue
      // The schema goes when there is no way from here but back; the last chapter is another way.
      if (text.startsWith('drop')) assert.equal(text.trim(), 'drop schema lethe cascade;')
      else await db.script(text.replaceAll('lethe_app', role.name))
      if (text.startsWith('grant')) {
        const status = await shell.run(`DSN='${role.at(url)}' lethe migrate sql status -e`)
        assert.match(status, /lethe\s+Applied/)
      }
    }
    assert.equal(JSON.parse(outputs['1. Look']!).verdict.side_by_side, 'ready')
    assert.deepEqual(JSON.parse(outputs['1. Look']!).cookies, [{ outcome: 'read', secret: 1, session: 'live' }])
    assert.match(outputs['2. Add the schema']!, /Successfully applied migrations!/)
    for (const section of ['3. Side by side', '4. Full swap']) {
      assert.match(outputs[section]!, /^\{"status":"ok"\}/, section)
      assert.match(outputs[section]!, /"active":true[\s\S]*alice@example\.org/i, section)
    }
    assert.equal(outputs['6. When Kratos is gone for good'], 'All session tokens rest hashed.\n')
    await db.script(blocks.find(({ text }) => text.startsWith('drop'))!.text)
    const left = await db.query(sql('test.left', `select nspname from pg_namespace where nspname = 'lethe'`))
    assert.deepEqual(left, [])
  })

  for (const [program, args] of [
    ['haproxy', ['-db', '-f']],
    ['nginx', ['-c']],
  ] as const) {
    test(`its example for ${program} sends sessions and logout to Lethe, all else to Kratos, and all to Kratos when Lethe is away`, async (t) => {
      if (spawnSync(program, ['-v']).error) {
        console.error(`SKIPPED: ${program} is not installed (Debian: apt-get install ${program})`)
        t.skip(`${program} is not installed`)
        return
      }
      const { in: withPorts, of } = await ports()
      const [kratos, lethe] = [await named('kratos', Number(of('4433'))), await named('lethe', Number(of('4533')))]
      t.after(() => void kratos.close())
      const dir = await folder(t)
      const text = withPorts(theOne(program))
      const file = join(dir, `${program}.conf`)
      const whole = `daemon off; pid ${dir}/pid; error_log stderr; events {}\nhttp { access_log off;
        ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${dir}/${kind};`).join(' ')}\n${text}}\n`
      await writeFile(file, program === 'nginx' ? whole : text)
      const child = spawn(program, [...args, file], { stdio: 'ignore' })
      t.after(async () => {
        child.kill('SIGTERM')
        await new Promise((resolve) => child.once('exit', resolve))
      })
      const ask = async (path: string) => {
        const answer = await fetch(`http://127.0.0.1:${of('8080')}${path}`, { redirect: 'manual' }).catch(
          () => undefined,
        )
        return answer === undefined ? 'nobody' : await answer.text()
      }
      const comesTo = (path: string, wanted: string) =>
        until(async () => (await ask(path)) === wanted, `${path} at ${wanted}`)
      await comesTo('/sessions', 'lethe')
      const ours = [
        '/sessions',
        '/sessions/whoami',
        '/sessions/1',
        '/sessions?x=1',
        '/self-service/logout',
        '/self-service/logout?token=1',
      ]
      const paths: [string, string][] = [
        ...[...ours, '/self-service/logout/browser', '/self-service/logout/api'].map((path): [string, string] => [
          path,
          'lethe',
        ]),
        ...['/', '/self-service/login/browser', '/self-service/logouts', '/sessionsx', '/schemas', '/x/sessions'].map(
          (path): [string, string] => [path, 'kratos'],
        ),
      ]
      for (const [path, wanted] of paths) assert.equal(await ask(path), wanted, path)
      lethe.close()
      lethe.closeAllConnections()
      await comesTo('/sessions/whoami', 'kratos')
    })
  }
})

/** A server that says its name. */
async function named(name: string, port: number): Promise<Server> {
  const server = createServer((_req, res) => res.end(name))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return server
}

/** One shell for all blocks, so that what one sets the next one has. A command that fails ends it. */
function startShell(t: Scope, cwd: string, env: Record<string, string>) {
  const child = spawn('bash', ['-e'], { cwd, env: { TZ: 'UTC', ...env } })
  let [stdout, stderr, code] = ['', '', undefined as number | null | undefined]
  let changed = () => {}
  child.stdout.on('data', (chunk) => {
    stdout += chunk
    changed()
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  child.once('exit', (status) => {
    code = status
    changed()
  })
  t.after(async () => {
    child.stdin.end('kill $(jobs -p) 2> /dev/null || true\n')
    if (code === undefined) await new Promise((resolve) => child.once('exit', resolve))
  })
  return {
    /** @returns what it wrote on stdout */
    async run(text: string): Promise<string> {
      const mark = `__done_${Math.trunc(performance.now() * 1000)}__`
      stdout = ''
      child.stdin.write(`${text}\necho ${mark}\n`)
      while (!stdout.includes(mark)) {
        assert.equal(code, undefined, `${text}\nended with ${code}\n${stdout}\n${stderr}`)
        await new Promise<void>((resolve) => (changed = resolve))
      }
      return stdout.slice(0, stdout.indexOf(mark))
    },
  }
}
