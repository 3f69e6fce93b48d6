import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { loadConfig } from '../../../src/config/load.ts'

const text = readFileSync(new URL('../../fixtures/wire/configs.json', import.meta.url), 'utf8')
const WORDS: Record<string, string> = {
  public: 'http://127.0.0.1:4433',
  admin: 'http://127.0.0.1:4434',
  op: 'http://127.0.0.1:4440',
  hook: 'http://127.0.0.1:4441',
  smtp: '127.0.0.1:4442',
}
const configs = JSON.parse(text.replace(/\{\{(\w+)\}\}/g, (_, word: string) => WORDS[word]!)) as Record<string, unknown>

/** JSON merge patch (RFC 7396). */
function patch(target: unknown, over: unknown): unknown {
  if (typeof over !== 'object' || over === null || Array.isArray(over)) return over
  const out: Record<string, unknown> = { ...(target as object) }
  for (const [name, value] of Object.entries(over)) {
    if (value === null) delete out[name]
    else out[name] = patch(out[name], value)
  }
  return out
}

for (const name of Object.keys(configs)) {
  test(`recorded configuration ${name} is accepted`, () => {
    const whole = JSON.stringify(patch(configs.default, configs[name]))
    const loaded = loadConfig({
      files: ['k.json'],
      env: { DSN: 'memory' },
      flags: { dev: false },
      readFile: () => whole,
    })
    assert.equal(loaded.config.version, 'v26.2.0')
    assert.equal(loaded.generatedSecrets, false)
  })
}
