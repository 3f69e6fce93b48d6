import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Migration {
  version: number
  name: string
  sql: string
  /** SHA-256 of the text, in hex */
  checksum: string
  /** `--! owned`: makes tables that in an adopted database Kratos has made */
  owned: boolean
  /** `--! breaking`: a program that does not know this migration must not use the database any more */
  breaking: boolean
  /** `--! no-transaction`: one statement that Postgres refuses inside a transaction; must be safe to repeat */
  noTransaction: boolean
}

/** The same from `src/db` and from `dist/db`. */
export const MIGRATIONS_DIR = fileURLToPath(new URL('../../../../migrations/', import.meta.url))

const HEADERS = new Set(['owned', 'breaking', 'no-transaction'])

/** Reads `NNNN-name.sql`, which must count from 0001 without a gap. */
export async function readMigrations(dir: string = MIGRATIONS_DIR): Promise<Migration[]> {
  const files = (await readdir(dir)).filter((file) => file.endsWith('.sql')).sort()
  return Promise.all(files.map((file, index) => readMigration(dir, file, index + 1)))
}

async function readMigration(dir: string, file: string, expected: number): Promise<Migration> {
  const [, digits, name] = /^(\d{4})-([a-z0-9-]+)\.sql$/.exec(file) ?? []
  if (name === undefined) throw new Error(`migrations/${file}: the name must look like 0001-some-words.sql`)
  if (Number(digits) !== expected) throw new Error(`migrations/${file}: the next number is ${expected}`)
  // a checkout with CRLF must not look like a changed migration
  const sql = (await readFile(join(dir, file), 'utf8')).replaceAll('\r\n', '\n')
  const headers = [...sql.matchAll(/^--! *(.*)$/gm)].map((match) => match[1]!.trim())
  const unknown = headers.find((header) => !HEADERS.has(header))
  if (unknown !== undefined) throw new Error(`migrations/${file}: unknown header "--! ${unknown}"`)
  return {
    version: expected,
    name,
    sql,
    checksum: createHash('sha256').update(sql).digest('hex'),
    owned: headers.includes('owned'),
    breaking: headers.includes('breaking'),
    noTransaction: headers.includes('no-transaction'),
  }
}
