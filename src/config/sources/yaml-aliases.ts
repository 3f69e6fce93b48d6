import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, visit } from 'yaml'

/** Something that no value can be made of, and where it stands. */
export interface YamlFinding {
  node: Node
  reason: string
  hint?: string
}

/**
 * Which node each alias stands for. An anchor of a name that is used again replaces the earlier one from there on.
 *
 * Messages name no alias: a password that begins with an asterisk and stands without quotes reads as one.
 */
export function resolveAliases(doc: Document.Parsed): { targets: ReadonlyMap<Alias, Node>; findings: YamlFinding[] } {
  const anchors = new Map<string, Node>()
  const targets = new Map<Alias, Node>()
  const findings: YamlFinding[] = []
  const found = (node: Node, reason: string, hint?: string) =>
    void findings.push({ node, reason, ...(hint ? { hint } : {}) })
  const targetOf = (node: unknown): unknown => (isAlias(node) ? anchors.get(node.source) : node)

  visit(doc, {
    Node(_, node, ancestors) {
      if (!isAlias(node)) {
        if (node.anchor) anchors.set(node.anchor, node)
        return
      }
      const target = anchors.get(node.source)
      if (target === undefined)
        found(node, 'an alias of an anchor that is not set above', 'a value that begins with * needs quotes')
      else if (ancestors.includes(target)) found(node, 'an alias inside the value that it stands for')
      else targets.set(node, target)
    },
    Pair(_, pair) {
      if (!isMerge(pair)) return
      const merged = targetOf(pair.value)
      const sources = isSeq(merged) ? merged.items.map(targetOf) : [merged]
      // an alias without an anchor is told as such
      if (sources.some((source) => source !== undefined && !isMap(source)))
        found(pair.key as Node, '<< merges maps, and this is none')
    },
  })
  return { targets, findings }
}

/** Whether the pair is `<<: …`, whose maps are merged into the one around it. */
export const isMerge = ({ key }: Pair): boolean => isScalar(key) && typeof key.value === 'symbol'
