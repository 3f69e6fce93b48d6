import type { IdentitySchema, Json, JsonObject } from '../types.ts'
import { evaluate, MAX_LOOKS } from './evaluate.ts'
import { collector, Uses } from './extension.ts'
import { failureText, type Location } from './failure.ts'
import { schemaInputs } from './inputs.ts'
import { link } from './link.ts'
import { violations } from './messages.ts'
import type { Rules } from './node.ts'
import { compilePattern } from './patterns.ts'

const budget = () => ({ left: MAX_LOOKS })
const START: Location = { instance: [], rule: '#', depth: 0 }

export interface SchemaSource {
  id: string
  url: string
  selectable: boolean
  document: JsonObject
  /** whether patterns may backtrack that cannot run in linear time */
  backtracking?: boolean
}

/**
 * Compiles a schema.
 *
 * @param load fetches a document that a `$ref` names
 * @throws PatternError, Error when a reference cannot be used
 */
export async function compileSchema(
  source: SchemaSource,
  load: (url: string) => Promise<Json>,
): Promise<IdentitySchema> {
  const { id, url, selectable, document, backtracking } = source
  const links = await link(url, document, load, (pattern) => compilePattern(pattern, backtracking))
  const rules: Rules = {
    target: (schema) => links.targets.get(schema),
    pattern: (text) => links.patterns.get(text)!,
  }
  const { identifierLabel, ...shapes } = schemaInputs(document, rules.target)
  return {
    id,
    url,
    document,
    selectable,
    ...shapes,
    identifierLabel,
    validate: (traits) => violations(evaluate({ ...rules, budget: budget() }, document, { traits }, START)),
    derive(traits) {
      const uses = new Uses()
      const failure = evaluate({ ...rules, budget: budget(), visit: collector(uses) }, document, { traits }, START)
      if (!failure) return { kind: 'derived', ...uses.derived() }
      return { kind: 'failure', reason: failureText(failure), violations: violations(failure) }
    },
  }
}
