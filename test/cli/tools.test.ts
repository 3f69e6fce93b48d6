import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { runHere } from './in-process.ts'

describe('hashers argon2', () => {
  it('hash shows times and never a hash', async () => {
    const args = [
      'hashers',
      'argon2',
      'hash',
      '--memory',
      '8MB',
      '--iterations',
      '1',
      '--parallelism',
      '1',
      'one',
      'two',
    ]
    for (const more of [[], ['--parallel']]) {
      const { code, stdout } = await runHere([...args, ...more])
      assert.equal(code, 0)
      const lines = stdout.trimEnd().split('\n').sort()
      assert.equal(lines.length, 3)
      for (const [index, start] of ['password 0: ', 'password 1: ', 'total: '].entries()) {
        assert.ok(lines[index]!.startsWith(start) && /: \d+\.\d{3}ms$/.test(lines[index]!), lines[index])
      }
    }
  })

  it('calibrate stays within the memory and says what it found', async () => {
    const flags = ['--dedicated-memory', '16MB', '--min-duration', '20ms', '--parallelism', '1', '--format', 'json']
    const { code, stdout, stderr } = await runHere(['hashers', 'argon2', 'calibrate', '1', ...flags])
    assert.equal(code, 0, stderr)
    const found = JSON.parse(stdout)
    assert.ok(Number.parseInt(found.memory, 10) <= 16 && found.iterations >= 1, stdout)
    assert.equal(found.parallelism, 1)
  })

  it('refuses values that the configuration would refuse', async () => {
    const { code, stderr } = await runHere(['hashers', 'argon2', 'hash', '--memory', 'much', 'one'])
    assert.equal(code, 1)
    assert.match(stderr, /^hashers\.argon2\.memory: /)
    assert.match((await runHere(['hashers', 'argon2', 'calibrate', '0'])).stderr, /is not a whole number above 0/)
  })
})

describe('completion', () => {
  it('completes words and flags in bash', async (t) => {
    const { code, stdout } = await runHere(['completion', 'bash'])
    assert.equal(code, 0)
    if (spawnSync('bash', ['-c', 'true']).status !== 0) return t.skip('bash is not installed')
    const complete = (line: string, word: number) => {
      const words = line.split(' ').map((text) => `'${text}'`)
      const script = `${stdout}\nCOMP_WORDS=(${words.join(' ')}); COMP_CWORD=${word}; _kratos; echo "\${COMPREPLY[*]}"`
      return spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout.trim()
    }
    assert.equal(complete('kratos mig', 1), 'migrate')
    assert.equal(complete('kratos migrate sql s', 3), 'status')
    assert.equal(complete('kratos -c kratos.yaml migrate sql status --b', 6), '--block')
    assert.equal(complete('kratos list identities --page-t', 3), '--page-token')
  })

  it('knows the other shells, and shows help for one it does not', async () => {
    for (const [shell, sign] of [
      ['zsh', 'bashcompinit'],
      ['fish', 'complete -c kratos'],
      ['powershell', 'Register-ArgumentCompleter'],
    ]) {
      const { code, stdout } = await runHere(['completion', shell!])
      assert.equal(code, 0)
      assert.ok(stdout.includes(sign!) && stdout.includes('page-token'), shell)
    }
    const unknown = await runHere(['completion', 'tcsh'])
    assert.equal(unknown.code, 0)
    assert.match(unknown.stdout, /^Usage: kratos completion/)
  })
})
