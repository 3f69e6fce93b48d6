import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type ScalarTag } from 'yaml'
import { isTooDeep, TOO_DEEP } from './depth.ts'
import { isTree, pathKey, type Source, type Tree, unusable } from './sources.ts'
import { isMerge, resolveAliases } from './yaml-aliases.ts'

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
  if (isTooDeep(text)) return unusable(file, TOO_DEEP)
  const counter = new LineCounter()
  const doc = parseDocument(text, {
    lineCounter: counter,
    merge: !json,
    // Repeated keys are found below, with both lines. Pretty errors quote the file, which may hold a secret.
    uniqueKeys: false,
    prettyErrors: false,
    // Only what JSON can hold too: a set or an ordered map would look empty to everything behind.
    resolveKnownTags: false,
    logLevel: 'error',
    ...(json ? { schema: 'json' } : { customTags: (tags) => [octal, ...tags] }),
  })
  const lineAt = (offset: number) => counter.linePos(offset).line
  const refused = (line: number, reason: string, hint?: string) => ({
    ...{ file, line, path: '', value: undefined, reason: `${json ? 'json' : 'yaml'}: line ${line}: ${reason}` },
    ...{ hint, syntax: true },
  })
  const { targets, findings } = resolveAliases(doc)
  const unreadable = [
    ...doc.errors.map(({ code, message, pos }) => refused(lineAt(pos[0]), plainMessage(code, message))),
    ...findings.map(({ node, reason, hint }) => refused(lineAt(node.range?.[0] ?? 0), reason, hint)),
    // `!env NAME` would be the text NAME
    ...doc.warnings
      .filter(({ code }) => code === 'TAG_RESOLVE_FAILED')
      .map(({ pos }) => refused(lineAt(pos[0]), 'a tag that is not known here', 'write the value itself')),
  ]
  if (unreadable.length > 0) return { file, data: {}, lines: new Map(), problems: unreadable }
  let data: unknown
  try {
    data = doc.toJS({ maxAliasCount: 10_000 })
  } catch {
    return unusable(file, 'aliases stand for too many values', undefined, 'write the values out')
  }
  if (data === null || data === undefined) return { file, data: {}, lines: new Map(), problems: [] }
  if (!isTree(data)) return unusable(file, 'expected object at the top, but got something else', 1)

  const lines = new Map<string, number>()
  const problems: Source['problems'][number][] = []

  const visitPair = (pair: Pair, path: readonly string[], seen: Map<string, number>) => {
    const name = isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
    const line = lineAt((pair.key as Node).range?.[0] ?? 0)
    if (isMerge(pair)) {
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
    const target = isAlias(node) ? targets.get(node) : node
    if (isSeq(target)) for (const item of target.items) visitMerged(item as Node, path)
    else if (isMap(target)) {
      const seen = new Map<string, number>()
      for (const pair of target.items) if (!lines.has(pathKey([...path, String(pair.key)]))) visitPair(pair, path, seen)
    }
  }
  const visit = (node: Node | null, path: readonly string[]) => {
    const target = isAlias(node) ? targets.get(node) : node
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
