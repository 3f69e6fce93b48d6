/**
 * Runs the tests with one Postgres for all of them: `node --import tsx scripts/test.ts [options of node --test] [files or
 * folders]`. Folders are walked here, since `node --test` of Node 20 knows neither patterns nor folders of TypeScript.
 * With TEST_DATABASE_URL (a superuser, or a role that may create databases) that server is used instead.
 */
import { spawn } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { startPostgres } from '../test/helpers/postgres.ts'

const given = process.argv.slice(2)
const options = given.filter((arg) => arg.startsWith('-'))
const paths = given.filter((arg) => !arg.startsWith('-'))
const files = (paths.length > 0 ? paths : ['test']).flatMap(testFiles)
if (files.length === 0) throw new Error(`no *.test.ts file in ${paths.join(', ')}`)
if (!options.some((arg) => arg.startsWith('--test-concurrency'))) options.push('--test-concurrency=2')

const server = process.env.TEST_DATABASE_URL ? undefined : await startPostgres()
const env = { ...process.env, TEST_DATABASE_URL: process.env.TEST_DATABASE_URL ?? server?.url }
const child = spawn(process.execPath, ['--import', 'tsx', '--test', ...options, ...files], { stdio: 'inherit', env })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
await server?.stop()

function testFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' })
  return names.filter((name) => name.endsWith('.test.ts')).map((name) => join(path, name))
}
