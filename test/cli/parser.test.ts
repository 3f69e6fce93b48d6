import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { runHere } from './in-process.ts'
import { lastLine, run } from './run.ts'

describe('command line', () => {
  it('answers version as scripts cut it, in a process of its own', async () => {
    const { code, stdout } = await run(['version'])
    assert.equal(code, 0)
    assert.match(stdout, /^Version:\t\t\tv26\.2\.0\nLethe:\t+\d+\.\d+\.\d+\n$/)
  })

  it('begins with the line that lets a system run it', () => {
    const [first] = readFileSync(new URL('../../src/cli.ts', import.meta.url), 'utf8').split('\n')
    assert.equal(first, '#!/usr/bin/env node')
  })

  const failures = [
    [['foo'], 'unknown command "foo" for "kratos"'],
    [['serve', '--nosuch'], 'unknown flag: --nosuch'],
    [['serve', '--nosuch=1'], 'unknown flag: --nosuch'],
    [['serve', '-z'], "unknown shorthand flag: 'z' in -z"],
    [['serve', '-c'], 'flag needs an argument: --config'],
    [['delete', 'identity'], 'requires at least 1 arg(s), only received 0'],
  ] as const
  for (const [args, text] of failures) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await runHere([...args])
      assert.equal(code, 1)
      assert.equal(stdout, '')
      assert.ok(stderr.startsWith(`Error: ${text}\n`), stderr)
      assert.match(stderr, /\nUsage: kratos /)
      assert.equal(lastLine(stderr), text)
    })
  }

  it('guesses what a mistyped flag was meant to be', async () => {
    assert.match((await runHere(['serve', '--confg', 'x'])).stderr, /Did you mean --config\?/)
  })

  for (const args of [[], ['get'], ['get', 'identities', 'some-id'], ['migrate'], ['hashers', 'argon2'], ['help']]) {
    it(`shows help for ${args.join(' ') || 'nothing'}`, async () => {
      const { code, stdout, stderr } = await runHere(args)
      assert.deepEqual([code, stderr], [0, ''])
      assert.match(stdout, /^Usage: kratos/)
    })
  }

  it('shows examples under the name that it was called by', async () => {
    const { stdout } = await runHere(['serve', '--help'])
    assert.match(stdout, /Examples:\n {2}kratos serve -c kratos\.yaml --dev\n/)
  })

  it('takes --config before, between and after the words, repeated, as a list and with an equals sign', async () => {
    const args = ['-c', 'a.yml', 'migrate', '--config=b.yml,"c,d.yml"', 'sql', 'status', '-e', '-c=e.yml']
    const { code, stderr } = await runHere(args)
    assert.equal(code, 1)
    const named = [...stderr.matchAll(/^(.*)\n\^-- cannot be read: no such file/gm)].map((match) => match[1])
    assert.deepEqual(named, ['a.yml', 'b.yml', 'c,d.yml', 'e.yml'])
  })

  it('takes switches with a value, as Go does', async () => {
    const on = await runHere(['migrate', 'sql', 'up', '--read-from-env=true', '--yes=false'])
    assert.match(on.stderr, /^dsn must be set/)
    const off = await runHere(['migrate', 'sql', 'up', '-e=false'])
    assert.match(off.stderr, /^Error: name the database/)
  })
})
