import { parse, TomlError } from 'smol-toml'
import { pathKey, type Source, type Tree, unusable } from './sources.ts'

/** Parses TOML. */
export function parseToml(file: string, text: string): Source {
  let data: Tree
  try {
    data = parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // The rest of the message quotes the file, which may hold a secret.
    const reason = error.message.split('\n')[0] ?? 'not TOML'
    return unusable(file, `toml: line ${error.line}: ${reason.replace(/^Invalid TOML document: /, '')}`, error.line)
  }
  return { file, data, lines: tomlLines(text), problems: [] }
}

/** Lines of tables and of keys that stand first on their line. The parser reports no positions. */
function tomlLines(text: string): Map<string, number> {
  const lines = new Map<string, number>()
  /** how many tables of each list have begun */
  const counts = new Map<string, number>()
  let table: string[] = []
  let closing: string | undefined
  for (const [index, whole] of text.split('\n').entries()) {
    const line = whole.trim()
    if (closing !== undefined) {
      if (line.includes(closing)) closing = undefined
      continue
    }
    closing = opened(line)
    const header = /^\[\[?([^\]]+)\]/.exec(line)
    const pair = /^([A-Za-z0-9_."'-]+)\s*=/.exec(line)
    if (header) {
      const names = segments(header[1]!)
      if (line.startsWith('[[')) counts.set(pathKey(names), (counts.get(pathKey(names)) ?? 0) + 1)
      table = withIndexes(names)
      note(table, index + 1)
    } else if (pair) note([...table, ...segments(pair[1]!)], index + 1)
  }
  return lines

  /** `[[a]]`, then `[a.b]`: the second is of the last `a`. */
  function withIndexes(names: string[]): string[] {
    return names.flatMap((name, depth) => {
      const count = counts.get(pathKey(names.slice(0, depth + 1)))
      return count === undefined ? [name] : [name, String(count - 1)]
    })
  }

  function note(path: string[], line: number) {
    for (let length = 1; length <= path.length; length++) {
      const name = pathKey(path.slice(0, length))
      if (!lines.has(name)) lines.set(name, line)
    }
  }
}

/** The quotes that end a text of several lines which begins on this line. */
function opened(line: string): string | undefined {
  const quotes = /"""|'''/.exec(line)?.[0]
  return quotes !== undefined && line.split(quotes).length === 2 ? quotes : undefined
}

const segments = (name: string) =>
  (name.match(/"[^"]*"|'[^']*'|[^."']+/g) ?? [])
    .map((part) => part.trim().replace(/^["']|["']$/g, ''))
    .filter((part) => part !== '')
