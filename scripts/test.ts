/**
 * Runs the tests with one Postgres for all of them: `node --import tsx scripts/test.ts [options of node --test] [files or
 * folders]`. Folders are walked here, since `node --test` of Node 20 knows neither patterns nor folders of TypeScript.
 * With TEST_DATABASE_URL (a superuser, or a role that may create databases) that server is used instead.
 *
 * Files of one folder share a few processes. Files that are named run in a process each.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { startPostgres } from '../test/helpers/postgres.ts'

/**
 * In how many processes: each loads the whole server, starts an embedded database, and runs slowly until its code is
 * compiled. Those that wait most begin first, so that others have the processors meanwhile.
 */
const FOLDERS = [
  { folder: 'adopted', processes: 1 },
  { folder: 'http', processes: 2 },
  { folder: 'fault', processes: 2 },
  { folder: 'wire', processes: 1 },
  { folder: 'unit', processes: 1 },
  { folder: 'contract', processes: 1 },
  { folder: 'property', processes: 1 },
  { folder: 'browser', processes: 1 },
  { folder: 'cli', processes: 1 },
]
/** The garbage of a whole node is made anew for each test: with more room for it, it is collected for 5 % less CPU. */
const V8 = ['--max-semi-space-size=64']
const ENTRIES = '.tmp/tests'

const given = process.argv.slice(2)
const options = given.filter((arg) => arg.startsWith('-'))
const paths = given.filter((arg) => !arg.startsWith('-'))
const files = paths.length > 0 ? paths.flatMap(testFiles) : inGroups()
if (files.length === 0) throw new Error(`no *.test.ts file in ${paths.join(', ')}`)
// More than there are processors: tests mostly wait for each other's databases, programs and browsers.
if (!options.some((arg) => arg.startsWith('--test-concurrency')))
  options.push(`--test-concurrency=${availableParallelism() + 2}`)

const server = process.env.TEST_DATABASE_URL ? undefined : await startPostgres()
const env = { ...process.env, TEST_DATABASE_URL: process.env.TEST_DATABASE_URL ?? server?.url }
const child = spawn(process.execPath, [...V8, '--import', 'tsx', '--test', ...options, ...files], {
  stdio: 'inherit',
  env,
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
await server?.stop()

function testFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' })
  return names
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(path, name))
    .sort()
}

/** Every test once: alone, or named by an entry that imports several. Node runs files in the order of their names. */
function inGroups(): string[] {
  rmSync(ENTRIES, { recursive: true, force: true })
  mkdirSync(ENTRIES, { recursive: true })
  const grouped = FOLDERS.flatMap(({ folder }) => testFiles(join('test', folder)))
  const missed = testFiles('test').filter((file) => !grouped.includes(file))
  const groups = FOLDERS.flatMap(({ folder, processes }) => dealt(testFiles(join('test', folder)), processes))
  return [...groups, ...missed.map((file) => [file])].map((members, index) => {
    const topic = members.length === 1 ? basename(members[0]!, '.test.ts') : basename(dirname(members[0]!))
    const entry = join(ENTRIES, `${String(index + 1).padStart(3, '0')}-${topic}.test.ts`)
    writeFileSync(entry, members.map((file) => `import '${relative(ENTRIES, file)}'\n`).join(''))
    return entry
  })
}

/** Dealt out like cards: neighbours in the alphabet are often alike, and so are their costs. */
function dealt(files: string[], processes: number): string[][] {
  return Array.from({ length: processes }, (_, hand) => files.filter((_, index) => index % processes === hand))
}
