import type { IdentitySchema, Json, JsonObject } from '../types.ts'
import { evaluate } from './evaluate.ts'
import { collector, nothingDerived } from './extension.ts'
import { failureText, type Place } from './failure.ts'
import { schemaInputs } from './inputs.ts'
import { link } from './link.ts'
import { violations } from './messages.ts'
import type { Rules } from './node.ts'

const START: Place = { instance: [], rule: '#', depth: 0 }

export interface SchemaSource {
  id: string
  url: string
  selectable: boolean
  document: JsonObject
}

/**
 * Makes a schema ready for use.
 *
 * @param load fetches a document that a `$ref` names
 * @throws Error when a reference or pattern cannot be used
 */
export async function compileSchema(
  source: SchemaSource,
  load: (url: string) => Promise<Json>,
): Promise<IdentitySchema> {
  const { id, url, selectable, document } = source
  const links = await link(url, document, load)
  const rules: Rules = {
    target: (schema) => links.targets.get(schema),
    pattern: (text) => links.patterns.get(text)!,
  }
  const { inputs, identifierLabel } = schemaInputs(document, rules.target)
  return {
    id,
    url,
    document,
    selectable,
    inputs,
    identifierTitle: identifierLabel?.title,
    identifierLabel,
    validate: (traits) => violations(evaluate(rules, document, { traits }, START)),
    derive(traits) {
      const derived = nothingDerived()
      const failure = evaluate({ ...rules, visit: collector(derived) }, document, { traits }, START)
      if (!failure) return { kind: 'derived', ...derived }
      return { kind: 'failure', reason: failureText(failure), violations: violations(failure) }
    },
  }
}
