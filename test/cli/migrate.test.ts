import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { readMigrations } from '../../src/kernel/db/migrations/files.ts'
import { createDatabase } from '../helpers/db.ts'
import { folder } from './folder.ts'
import { runHere } from './in-process.ts'
import { lastLine, run } from './run.ts'

describe('migrate sql', () => {
  it('shows the plan, asks, applies and finds nothing left to do', async (t) => {
    const DSN = await createDatabase(t, { migrated: false })
    const count = (await readMigrations()).length

    const before = await runHere(['migrate', 'sql', 'status', '-e'], { env: { DSN } })
    assert.equal(before.code, 0)
    assert.match(before.stdout, /^Version\tName\t+Status\t\n0001\tkratos-tables\t+Pending\t\n/)
    assert.equal(before.stdout.match(/Pending/g)?.length, count)

    const silent = await run(['migrate', 'sql', 'up', '-e'], { env: { DSN } })
    assert.equal(silent.code, 1)
    assert.match(silent.stdout, /^The migration plan is as follows:\nVersion\tName/)
    assert.match(silent.stderr, /^To skip the next question use flag --yes \(at your own risk\)\.\n/)
    assert.equal(lastLine(silent.stderr), 'Unable to confirm: unable to read from stdin: EOF')

    const no = await runHere(['migrate', 'sql', 'up', '-e'], { env: { DSN }, input: 'what?\nn\n' })
    assert.equal(no.code, 1)
    assert.match((await runHere(['migrate', 'sql', 'status', DSN])).stdout, /Pending/)

    const yes = await run(['migrate', 'sql', 'up', '-e'], { env: { DSN }, input: 'y\n' })
    assert.equal(yes.code, 0, yes.stderr)
    assert.match(yes.stdout, /\n-{12} SUCCESS -{12}\nSuccessfully applied migrations!\n$/)
    assert.ok(yes.stderr.includes(`Successfully applied ${count} migrations.`))

    const again = await runHere(['migrate', 'sql', 'up', DSN, '--yes'])
    assert.deepEqual([again.code, again.stdout], [0, 'Migrations already up to date, nothing to apply\n'])
    const after = await runHere(['migrate', 'sql', 'status', '-e', '--block', '--format', 'json'], { env: { DSN } })
    assert.ok(JSON.parse(after.stdout).every((entry: { status: string }) => entry.status === 'Applied'))
    assert.deepEqual(after.pauses, [])
  })

  it('is called as the quickstart and the chart call it', async (t) => {
    const DSN = await createDatabase(t, { migrated: false })
    const file = `${await folder(t)}/kratos.yml`
    await writeFile(file, 'dsn: memory\n')
    const first = await runHere(['-c', file, 'migrate', 'sql', '-e', '--yes'], { env: { DSN } })
    assert.equal(first.code, 0, first.stderr)
    assert.match(first.stderr, /older form/)
    assert.match(first.stdout, /Successfully applied migrations!/)
    const second = await runHere(['migrate', 'sql', '-e', '--yes', '--config', file], { env: { DSN } })
    assert.match(second.stdout, /already up to date/)
  })

  it('may be called by several at once', async (t) => {
    const DSN = await createDatabase(t, { migrated: false })
    const args = ['migrate', 'sql', 'up', '-e', '-y']
    const outcomes = await Promise.all([1, 2, 3].map(() => runHere(args, { env: { DSN } })))
    assert.deepEqual(
      outcomes.map(({ code, stderr }) => [code, code === 0 ? '' : stderr]),
      Array(3).fill([0, '']),
    )
  })

  it('says what is missing', async () => {
    const none = await runHere(['migrate', 'sql', 'up'])
    assert.equal(none.code, 1)
    assert.match(none.stderr, /\nUsage: kratos migrate sql up/)
    const empty = await runHere(['migrate', 'sql', '-e'])
    assert.equal(empty.code, 1)
    assert.match(empty.stderr, /^dsn must be set$/m)
  })

  it('tries a database that does not answer for a minute, and tells no password', async () => {
    const DSN = 'postgres://lethe:verysecret@127.0.0.1:1/lethe?sslmode=disable'
    const { code, pauses, stderr } = await runHere(['migrate', 'sql', 'status', '-e'], { env: { DSN } })
    assert.equal(code, 1)
    assert.equal(
      pauses.reduce((sum, ms) => sum + ms, 0),
      60_000,
    )
    assert.match(lastLine(stderr) ?? '', /^Error: .*ECONNREFUSED/)
    assert.ok(!stderr.includes('verysecret'))
  })

  it('does not wait for a database that refuses the name', async (t) => {
    const url = new URL(await createDatabase(t, { migrated: false }))
    url.pathname = '/lethe_nowhere'
    const { code, pauses, stderr } = await runHere(['migrate', 'sql', 'status', url.href])
    assert.deepEqual([code, pauses], [1, []])
    assert.match(stderr, /lethe_nowhere/)
  })

  it('does not go back', async () => {
    const bare = await runHere(['migrate', 'sql', 'down', '-e'])
    assert.equal(bare.code, 1)
    assert.match(bare.stderr, /Please provide the --steps argument with a value larger than 0\.\n$/)
    const steps = await runHere(['migrate', 'sql', 'down', '-e', '--steps', '1', '-y'])
    assert.equal(steps.code, 1)
    assert.match(steps.stderr, /forward only/)
  })
})
