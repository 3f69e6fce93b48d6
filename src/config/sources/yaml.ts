import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type ScalarTag } from 'yaml'
import { isTree, pathKey, type Source, type Tree, unusable } from './sources.ts'

// Files written for Kratos may say `mode: 0755` and mean octal, as YAML 1.1 does; in YAML 1.2 it would be 755.
const octal: ScalarTag = {
  identify: () => false,
  default: true,
  tag: 'tag:yaml.org,2002:int',
  test: /^0[0-7]+$/,
  resolve: (text) => Number.parseInt(text, 8),
}

/** Parses YAML, of which JSON is a subset. `json`: refuse what only YAML allows. */
export function parseYaml(file: string, text: string, json: boolean): Source {
  const counter = new LineCounter()
  const doc = parseDocument(text, {
    lineCounter: counter,
    merge: !json,
    // Repeated keys are found below, with both lines. Pretty errors quote the file, which may hold a secret.
    uniqueKeys: false,
    prettyErrors: false,
    ...(json ? { schema: 'json' } : { customTags: (tags) => [octal, ...tags] }),
  })
  const lineAt = (offset: number) => counter.linePos(offset).line
  if (doc.errors.length > 0) {
    const problems = doc.errors.map((error) => {
      const line = lineAt(error.pos[0])
      const reason = `${json ? 'json' : 'yaml'}: line ${line}: ${plainMessage(error.code, error.message)}`
      return { file, line, path: '', value: undefined, reason, hint: undefined, syntax: true }
    })
    return { file, data: {}, lines: new Map(), problems }
  }
  let data: unknown
  try {
    data = doc.toJS({ maxAliasCount: 100 })
  } catch {
    return unusable(file, 'too many or unknown aliases', undefined, 'write the values out')
  }
  if (data === null || data === undefined) return { file, data: {}, lines: new Map(), problems: [] }
  if (!isTree(data)) return unusable(file, 'expected object at the top, but got something else', 1)

  const lines = new Map<string, number>()
  const problems: Source['problems'][number][] = []

  const visitPair = (pair: Pair, path: readonly string[], seen: Map<string, number>) => {
    const name = isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
    const line = lineAt((pair.key as Node).range?.[0] ?? 0)
    if (isScalar(pair.key) && typeof pair.key.value === 'symbol') {
      visitMerged(pair.value as Node, path)
      return
    }
    const first = seen.get(name)
    if (first !== undefined || name === '__proto__') {
      const reason = first === undefined ? 'name not allowed' : `mapping key "${name}" already defined at line ${first}`
      const hint = first === undefined ? undefined : 'duplicate key, keep one'
      problems.push({
        file,
        line,
        path: [...path, name].join('.'),
        value: undefined,
        reason,
        hint,
        syntax: first === undefined,
      })
    }
    seen.set(name, line)
    lines.set(pathKey([...path, name]), line)
    visit(pair.value as Node | null, [...path, name])
  }
  const visitMerged = (node: Node | null, path: readonly string[]) => {
    const target = isAlias(node) ? node.resolve(doc) : node
    if (isSeq(target)) for (const item of target.items) visitMerged(item as Node, path)
    else if (isMap(target)) {
      const seen = new Map<string, number>()
      for (const pair of target.items) if (!lines.has(pathKey([...path, String(pair.key)]))) visitPair(pair, path, seen)
    }
  }
  const visit = (node: Node | null, path: readonly string[]) => {
    const target = isAlias(node) ? node.resolve(doc) : node
    if (isMap(target)) {
      const seen = new Map<string, number>()
      for (const pair of target.items) visitPair(pair, path, seen)
    } else if (isSeq(target)) {
      for (const [index, item] of target.items.entries()) {
        const inner = [...path, String(index)]
        lines.set(pathKey(inner), lineAt((item as Node).range?.[0] ?? 0))
        visit(item as Node, inner)
      }
    }
  }
  visit(doc.contents, [])
  return { file, data: data as Tree, lines, problems }
}

/** Messages that would quote the text of the file are replaced. */
function plainMessage(code: string, message: string): string {
  if (code === 'TAB_AS_INDENT') return 'found a tab where spaces are needed for indentation'
  if (code === 'MULTIPLE_DOCS') return 'more than one document in the file'
  return message
    .replace(/ at line \d+, column \d+:?[\s\S]*$/, '')
    .replace(/(Unresolved plain scalar|Unexpected scalar) .*/s, '$1')
}
