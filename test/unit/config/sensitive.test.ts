import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { z } from 'zod'
import { shownConfig } from '../../../src/commands/config/show.ts'
import { isSensitivePath, shownText } from '../../../src/config/checks/sensitive.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { configSchema } from '../../../src/config/schema/schema.ts'

const CANARY = 'hunter2canary'

/** Every value that the schema has a place for, by its path; lists and maps with one entry. */
function leaves(outer: z.core.$ZodType, path: string[] = []): string[][] {
  const { def } = (outer as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'default':
    case 'prefault':
    case 'optional':
    case 'nullable':
      return leaves(def.innerType, path)
    case 'pipe':
      return leaves(def.in, path)
    case 'union':
      return def.options.flatMap((option) => leaves(option, path))
    case 'array':
      return leaves(def.element, [...path, '0'])
    case 'record':
      return leaves(def.valueType, [...path, 'anything'])
    case 'object':
      return [
        ...Object.entries(def.shape).flatMap(([name, child]) => leaves(child, [...path, name])),
        ...(def.catchall && def.catchall._zod.def.type !== 'never' ? [[...path, 'undocumented']] : []),
      ]
    case 'boolean':
    case 'number':
    case 'enum':
    case 'literal':
      return []
    default:
      return [path]
  }
}

/** Texts with such names that everybody may read. */
const NO_SECRETS = [
  ...['additional_id_token_audiences', 'allowed_headers', 'apple_private_key_id', 'auth_url', 'exposed_headers'],
  ...[
    'header_allowlist',
    'header_limit',
    'net_id_token_origin_header',
    'private_ip_exception_urls',
    'token_file',
    'token_url',
  ],
]

const ALL = leaves(configSchema)

/** The file as a tree that has nothing but this value; a list where the path has a number. */
const treeWith = (path: readonly string[], value: string) =>
  path.reduceRight<unknown>((rest, name) => (name === '0' ? [rest] : { [name]: rest }), value)

function shown(path: readonly string[], value: string): string {
  return JSON.stringify(treeOf(JSON.stringify(treeWith(path, value))))
}

function treeOf(text: string): unknown {
  const dir = mkdtempSync(join(tmpdir(), 'lethe-show-'))
  try {
    writeFileSync(join(dir, 'c.json'), text)
    return shownConfig({ files: [join(dir, 'c.json')], env: {}, defaults: false }).tree
  } finally {
    rmSync(dir, { recursive: true })
  }
}

describe('what `config show` prints', () => {
  test('is nothing behind an address, at any key', () => {
    assert.ok(ALL.length > 250, String(ALL.length))
    for (const path of ALL)
      for (const value of [
        `https://u:${CANARY}@h/p`,
        `https://h/p?a=${CANARY}`,
        `https://${CANARY}@h`,
        `x:p#${CANARY}`,
      ])
        assert.ok(!shown(path, value).includes(CANARY), path.join('.'))
  })

  test('is no text under a name that sounds like a secret, unless it is known to be none', () => {
    const sounds = /secret|password|passphrase|private|token|credential|auth|header|dsn|connection|jwks|base64|signing/i
    const names = ALL.filter((path) => shown(path, CANARY).includes(CANARY)).map((path) => {
      const named = path.filter((name) => name !== '0')
      return named.at(-1) === 'anything' ? named.slice(-2).join('.') : named.at(-1)!
    })
    assert.deepEqual([...new Set(names.filter((name) => sounds.test(name)))].sort(), NO_SECRETS)
  })

  test('is nothing under a name that the schema does not know', () => {
    for (const path of [['client_secrte'], ['lethe', 'nope'], ['selfservice', 'methods', 'oidc', 'config', 'x']])
      assert.ok(isSensitivePath(path) && !shown(path, CANARY).includes(CANARY), path.join('.'))
  })

  test('is no text where a list or a map of secrets should be, nor is that in a refusal', () => {
    const known = ALL.filter((path) => path.at(-1) !== 'undocumented')
    const above = known.filter(isSensitivePath).flatMap((path) => path.map((_, length) => path.slice(0, length)))
    const places = new Map(above.filter((path) => path.length > 0).map((path) => [path.join('.'), path]))
    assert.ok(places.has('secrets.cookie') && places.has('selfservice.methods.oidc.config.providers'))
    for (const [name, path] of places) {
      assert.ok(!shown(path, CANARY).includes(CANARY), name)
      const readFile = () => JSON.stringify(treeWith(path, CANARY))
      const load = () => loadConfig({ files: ['c.json'], env: {}, flags: { dev: false }, readFile })
      assert.throws(load, (error: Error) => !error.message.includes(CANARY), name)
    }
  })

  test('is what an operator looks for', () => {
    for (const path of [
      'serve.public.base_url',
      'session.lifespan',
      'session.cookie.name',
      'log.level',
      'cookies.domain',
    ])
      assert.ok(shown(path.split('.'), 'plain').includes('plain'), path)
    assert.equal(shownText('http://127.0.0.1:4433/x'), 'http://127.0.0.1:4433/x')
    assert.equal(shownText('what is this?'), 'what is this?')
  })
})
