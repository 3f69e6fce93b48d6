import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ConfigError, loadConfig } from '../../../src/config/load.ts'

const corpus = new URL('../../../../shared/kratos/config-corpus/', import.meta.url)
const present = existsSync(new URL('index.json', corpus))

interface Entry {
  file: string
  base?: string
  kratos: string
  names?: string[]
  unsafe?: string[]
  rewrite?: Record<string, string>
}

/** Refused for what stands in an identity schema, which is not read by the code under test. */
const SCHEMA_CONTENT = new Set(['mistake-schema-not-json.yml', 'stub-driver-invalid.identities.yaml'])
/** What may still be warned of: the rest of what these files switch on is served. */
const NOT_SERVED = ['tracing']
/** As the answers were measured: the database and the ports came from the environment. */
const env = { DSN: 'postgres://127.0.0.1/kratos', SERVE_PUBLIC_PORT: '4433', SERVE_ADMIN_PORT: '4434' }

function load(entry: Entry) {
  const readFile = (file: string) => {
    let text = readFileSync(new URL(file, corpus), 'utf8')
    for (const [from, to] of Object.entries(entry.rewrite ?? {})) {
      const target = new URL(to, corpus)
      text = text.replaceAll(from, from.includes('://') ? target.href : target.pathname)
    }
    return text
  }
  const files = entry.base === undefined ? [entry.file] : [entry.base, entry.file]
  return loadConfig({ files, env, flags: { dev: false }, readFile })
}

test('every file of the corpus starts or is refused as by Kratos', {
  skip: present ? false : 'NO CORPUS FOUND',
}, async (t) => {
  const entries = JSON.parse(readFileSync(new URL('index.json', corpus), 'utf8')) as Entry[]
  assert.ok(entries.length > 100)
  for (const entry of entries) {
    await t.test(`${entry.file}: ${entry.kratos.slice(0, 60)}`, () => {
      if (entry.kratos === 'starts' || SCHEMA_CONTENT.has(entry.file)) {
        let loaded: ReturnType<typeof load>
        try {
          loaded = load(entry)
        } catch (error) {
          assert.ok(error instanceof ConfigError)
          const unsafe = entry.unsafe ?? []
          for (const problem of error.problems) {
            assert.ok(
              unsafe.some((name) => problem.path.startsWith(name)),
              error.message,
            )
          }
          return
        }
        const warned = loaded.warnings.find((warning) => warning.code === 'unsupported_keys')?.keys ?? []
        assert.deepEqual(
          warned.filter((name) => !NOT_SERVED.includes(name)),
          [],
        )
      } else {
        assert.throws(
          () => load(entry),
          (error: unknown) => {
            assert.ok(error instanceof ConfigError)
            assert.ok(
              (entry.names ?? []).some((name) => error.message.includes(name)),
              error.message,
            )
            return true
          },
        )
      }
    })
  }
})
