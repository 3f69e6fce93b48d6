import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, loadConfig } from '../../../src/config/load.ts'

const BASE = {
  dsn: 'memory',
  selfservice: { default_browser_return_url: 'http://a.example/' },
  identity: { schemas: [{ id: 'default', url: 'base64://e30=' }] },
}
type Tree = Record<string, unknown>

function load(tree: Tree) {
  const readFile = () => JSON.stringify({ ...BASE, ...tree })
  return loadConfig({ files: ['k.json'], env: {}, flags: { dev: false }, readFile, random: (n) => Buffer.alloc(n, 7) })
}

/** Paths of what is refused. */
function refused(tree: Tree): string[] {
  try {
    load(tree)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.problems.map(({ path }) => path)
  }
}

test('origins and names that could never fit a request to the admin port are refused', () => {
  for (const origin of ['https://tools.example/', 'https://tools.example:443', '*', 'tools.example', 'null'])
    assert.deepEqual(refused({ lethe: { admin: { allowed_origins: [origin] } } }), ['lethe.admin.allowed_origins.0'])
  for (const name of ['https://lethe.example', 'lethe.example:4434', '*', 'a.*.example', '*.', ''])
    assert.deepEqual(refused({ lethe: { admin: { allowed_hosts: [name] } } }), ['lethe.admin.allowed_hosts.0'])
  const admin = { allowed_origins: ['HTTPS://Tools.Example:8443'], allowed_hosts: ['LETHE.example', '*.corp.example'] }
  assert.deepEqual(load({ lethe: { admin } }).config.lethe.admin, {
    allowed_origins: ['https://tools.example:8443'],
    allowed_hosts: ['lethe.example', '*.corp.example'],
  })
})
