import { shortened } from '../../kernel/base/text.ts'
import { isSensitivePath, shownText } from './sensitive.ts'

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** file as it was given, or `environment variable NAME` */
  readonly file: string
  readonly line: number | undefined
  /** dotted path; `(root)` for the whole; empty when the file could not be read at all */
  readonly path: string
  /** the value, shortened; secrets are hidden */
  readonly value: string | undefined
  readonly reason: string
  /** what to do about it */
  readonly hint: string | undefined
}

/** The configuration cannot be used. `problems` has all reasons, in the order of files and lines. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const sorted = sortProblems(problems)
    super(formatProblems(sorted))
    this.problems = sorted
  }
}

function sortProblems(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const files = [...new Set(problems.map((problem) => problem.file))]
  return [...problems].sort(
    (a, b) =>
      files.indexOf(a.file) - files.indexOf(b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.path < b.path ? -1 : a.path > b.path ? 1 : 0),
  )
}

/** One block a problem: `path: value`, under it `^-- reason`, under it the place and the remedy. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  return problems
    .map(({ file, line, path, value, reason, hint }) => {
      const place = line === undefined ? file : `${file}:${line}`
      const head = path === '' ? file : value === undefined ? path : `${path}: ${value}`
      return `${head}\n^-- ${reason}\n    in ${place}${hint === undefined ? '' : `; ${hint}`}`
    })
    .join('\n\n')
}

/** A value for people: short, without secrets and without the user part of addresses. */
export function showValue(value: unknown, path: readonly string[]): string {
  if (value === undefined) return '<nil>'
  if (value === null) return 'null'
  if (typeof value === 'object') return Array.isArray(value) ? '[…]' : '{…}'
  if (isSensitivePath(path)) return '[redacted]'
  const text = shownText(String(value))
  return shortened(text, 80)
}
