import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './processes.ts'
import type { Kind, Result } from './results.ts'
import { asMarkdown, conditions, tablesOf } from './tables.ts'

const JSON_FILE = 'docs/performance.json'
const PAGE = 'docs/performance.md'
const [BEGIN, END] = ['<!-- results: written by npm run bench -- --write -->', '<!-- end of results -->']

const TITLES: Record<Kind, string> = {
  load: 'Workloads',
  beside: 'Beside another server',
  interference: 'Session checks while others log in',
  scale: 'Few sessions and many',
  start: 'Start and idle memory',
}

export type Kept = Partial<Record<Kind, Result>>

/** The last results of each kind. */
export function readResults(folder = root): Kept {
  const file = join(folder, JSON_FILE)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
}

/** Puts a result in the place of the last one of its kind. @returns the files that were written */
export function writeDocument(result: Result, folder = root): string[] {
  const text = JSON.stringify({ ...readResults(folder), [result.kind]: result }, short, 2)
  const page = join(folder, PAGE)
  // from what is written, not from what was measured: a page made of the file anew must be the same
  const made = withResults(readFileSync(page, 'utf8'), JSON.parse(text))
  writeFileSync(join(folder, JSON_FILE), `${text}\n`)
  writeFileSync(page, made)
  return [JSON_FILE, PAGE]
}

/** More digits than that are noise. */
const short = (_: string, value: unknown) =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value

/** The page with its block of results made anew. @throws where the page has no place for it */
export function withResults(page: string, kept: Kept): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`${PAGE} lacks the lines "${BEGIN}" and "${END}"`)
  const kinds = (Object.keys(TITLES) as Kind[]).filter((kind) => kept[kind] !== undefined)
  const parts = kinds.map((kind) => section(TITLES[kind], kept[kind]!))
  return `${page.slice(0, begin)}${BEGIN}\n\n${parts.join('')}${page.slice(end)}`
}

function section(title: string, result: Result): string {
  return `### ${title}\n\n${conditions(result)}\n\n${tablesOf(result).map(asMarkdown).join('\n')}\n`
}
