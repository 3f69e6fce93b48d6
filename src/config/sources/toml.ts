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
  const counts = new Map<string, number>()
  let table: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*(\[\[?)\s*([^\]]+?)\s*\]/.exec(line)
    const pair = /^\s*([A-Za-z0-9_."'-]+)\s*=/.exec(line)
    if (header) {
      table = segments(header[2]!)
      if (header[1] === '[[') {
        const count = counts.get(pathKey(table)) ?? 0
        counts.set(pathKey(table), count + 1)
        table = [...table, String(count)]
      }
      note(table, index + 1)
    } else if (pair) note([...table, ...segments(pair[1]!)], index + 1)
  }
  return lines

  function note(path: string[], line: number) {
    for (let length = 1; length <= path.length; length++) {
      const name = pathKey(path.slice(0, length))
      if (!lines.has(name)) lines.set(name, line)
    }
  }
}

const segments = (name: string) => name.split('.').map((part) => part.trim().replace(/^["']|["']$/g, ''))
