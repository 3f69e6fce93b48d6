import { DESCRIPTORS } from '../../credentials/descriptors.ts'
import { stringifyJson } from '../../kernel/base/exact-json.ts'
import { normaliseIdentifier, normalisePhone, trimSpace } from '../normalise.ts'
import type { DerivedTraits, Json, JsonObject, TraitAddress } from '../types.ts'
import { type Failure, fail, type Location } from './failure.ts'
import { FORMATS } from './formats.ts'
import { asObject, asString, member } from './node.ts'
import { quoted } from './print.ts'

/** The keyword by which a schema says what a trait is used for. */
export const EXTENSION = 'ory.sh/kratos'

type Derived = Omit<DerivedTraits, 'kind'>

/** Collects the identifiers and addresses in traits; a list of addresses may be of any length. */
export class Uses {
  /** by credential type, only types that the schema marks; for `code` these are the addresses */
  readonly identifiers = new Map<string, Set<string>>()
  /** by credential type: the name of the person in authenticators, as it was written */
  readonly names = new Map<string, string>()
  readonly code = new Addresses()
  readonly verifiable = new Addresses()
  readonly recovery = new Addresses()

  derived(): Derived {
    return {
      identifiers: new Map([...this.identifiers].map(([type, texts]) => [type, [...texts]])),
      names: this.names,
      codeAddresses: [...this.code.values()],
      verifiable: [...this.verifiable.values()],
      recovery: [...this.recovery.values()],
    }
  }

  /** An empty text is no identifier: two identities without a user name must not collide on it. */
  addIdentifier(type: string, identifier: string): void {
    const known = this.identifiers.get(type) ?? new Set()
    if (identifier !== '') known.add(identifier)
    this.identifiers.set(type, known)
  }
}

/** Each address once, in the order in which they came. */
class Addresses extends Map<string, TraitAddress> {
  add(address: TraitAddress): void {
    if (address.value !== '') this.set(`${address.via}\0${address.value}`, address)
  }
}

/**
 * Adds the identifiers and addresses of a value to `into`. An invalid address is a failure of the rule `format`, also when
 * the schema gives no format.
 */
export function collector(into: Uses): (schema: JsonObject, value: Json, location: Location) => Failure[] {
  return (schema, value, location) => {
    const marks = member(schema, EXTENSION)
    if (marks === undefined) return []
    const text = typeof value === 'string' ? value : stringifyJson(value)
    const use = { schema, marks: asObject(marks), value, text, location }
    const failure = noteCredentials(use, into) ?? noteVerifiable(use, into) ?? noteRecovery(use, into)
    return failure ? [failure] : []
  }
}

interface Use {
  schema: JsonObject
  marks: JsonObject
  value: Json
  text: string
  location: Location
}

const via = (use: Use, purpose: string) => asString(member(asObject(member(use.marks, purpose)), 'via')) ?? ''
const isEmail = (value: Json) => typeof value === 'string' && FORMATS.get('email')!(value)
const broken = (use: Use, format: string) =>
  fail(use.location, 'format', `${quoted(use.value)} is not valid ${quoted(format)}`, {
    params: { value: use.value, format },
  })

function noteCredentials(use: Use, into: Uses): Failure | undefined {
  const credentials = asObject(member(use.marks, 'credentials'))
  const marked = (type: string, as: string) => member(asObject(member(credentials, type)), as) === true
  const identifier = normaliseIdentifier(use.text)
  for (const { type, identifiers, channelled, namedBy } of DESCRIPTORS) {
    if (namedBy !== undefined && identifiers !== 'derived' && marked(type, namedBy)) into.names.set(type, use.text)
    if (identifiers !== 'derived' || !marked(type, 'identifier')) continue
    if (!channelled) {
      into.addIdentifier(type, identifier)
      continue
    }
    const channel = asString(member(asObject(member(credentials, type)), 'via')) ?? 'email'
    const value = channel === 'sms' ? normalisePhone(use.text) : identifier
    if (value === undefined) return broken(use, 'tel')
    into.addIdentifier(type, value)
    into.code.add({ via: channel, value })
  }
  return undefined
}

function noteVerifiable(use: Use, into: Uses): Failure | undefined {
  const channel = via(use, 'verification')
  if (channel === '') return undefined
  const format = asString(member(use.schema, 'format')) ?? ''
  if (format === '' && channel !== 'email') {
    const hint = 'If this was intentional, please set "format" to "no-validate"'
    return fail(use.location, 'format', `no format specified. A format is required if verification is enabled. ${hint}`)
  }
  if (format === '' && !isEmail(use.value)) return broken(use, 'email')
  const value = verifiableValue(format, use.text)
  if (value === undefined) return broken(use, format)
  into.verifiable.add({ via: channel, value })
  return undefined
}

function verifiableValue(format: string, text: string): string | undefined {
  if (format === 'tel') return normalisePhone(text)
  return format === '' || format === 'email' ? normaliseIdentifier(text) : trimSpace(text)
}

function noteRecovery(use: Use, into: Uses): Failure | undefined {
  const channel = via(use, 'recovery')
  if (channel === '') return undefined
  const format = asString(member(use.schema, 'format')) ?? ''
  if (channel === 'sms') {
    const value = normalisePhone(use.text)
    if (value === undefined) return broken(use, 'tel')
    into.recovery.add({ via: channel, value })
    return undefined
  }
  if ((format === '' || format === 'email') && !isEmail(use.value)) return broken(use, 'email')
  into.recovery.add({ via: channel, value: normaliseIdentifier(use.text) })
  return undefined
}
