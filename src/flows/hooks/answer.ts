import { readClaim, readState } from '../../identities/admin/bodies.ts'
import type { Json, JsonObject } from '../../identities/types.ts'
import { isObject } from '../../identities/types.ts'
import { type JsonLimits, parseJson } from '../../kernel/base/json.ts'
import { shortened } from '../../kernel/base/text.ts'
import type { FormProblem, UiMessage } from '../types.ts'
import type { IdentityChange } from './types.ts'

const LIMITS: JsonLimits = { values: 20_000, depth: 64 }
/** In one form, from one answer. */
const MAX_MESSAGES = 50
const MAX_TEXT = 8192
const MAX_ADDRESSES = 100

/** @throws Error unless it is a JSON object */
function documentOf(body: string): JsonObject {
  const value = parseJson(body, LIMITS) as Json
  if (!isObject(value)) throw new Error('the answer is no JSON object')
  return value
}

/**
 * The messages of a refusing answer for the form.
 * @throws Error for an answer without a message
 */
export function readRefusal(body: string): FormProblem[] {
  const { messages } = documentOf(body)
  const problems = lists(messages).flatMap((group) =>
    lists(group.messages).map((message): FormProblem => {
      const path = pathOf(group.instance_ptr)
      return { ...(path === undefined ? {} : { path }), message: messageOf(message) }
    }),
  )
  if (problems.length === 0) throw new Error('the answer refuses without a message')
  return problems.slice(0, MAX_MESSAGES)
}

const lists = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value) ? value.slice(0, MAX_MESSAGES).filter((one): one is JsonObject => isObject(one)) : []

/** `#/traits/email` is the input `traits.email`; `#/` is the form as a whole. */
function pathOf(pointer: Json | undefined): string | undefined {
  const steps = typeof pointer === 'string' ? pointer.replace(/^#?\//, '').split('/') : []
  const path = steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')).join('.')
  return path === '' || path.length > 512 ? undefined : path
}

function messageOf({ id, text, type, context }: JsonObject): UiMessage {
  return {
    id: typeof id === 'number' && Number.isSafeInteger(id) ? id : 0,
    text: typeof text === 'string' ? shortened(text, MAX_TEXT) : '',
    type: type === 'error' ? 'error' : 'info',
    ...(isObject(context) ? { context } : {}),
  }
}

/**
 * What an answer changes in the identity; undefined for nothing. Empty members change nothing.
 * @throws Error that says which member cannot be used
 */
export function readChange(body: string): IdentityChange | undefined {
  const { identity } = documentOf(body)
  if (identity === undefined || identity === null) return undefined
  if (!isObject(identity)) throw new Error('identity is no object')
  const change = Object.fromEntries(
    Object.entries(READERS).flatMap(([name, read]) => {
      const value = Object.hasOwn(identity, name) ? identity[name] : undefined
      return value === undefined || isEmpty(name, value) ? [] : [[name, read(value)]]
    }),
  )
  return Object.keys(change).length === 0 ? undefined : (change as IdentityChange)
}

const isEmpty = (name: string, value: Json) =>
  (value === null && name !== 'external_id') || value === '' || (Array.isArray(value) && value.length === 0)

const READERS: Readonly<Record<keyof IdentityChange, (value: Json) => unknown>> = {
  traits: (value) => checked(value, isObject(value), 'identity.traits is no object'),
  schema_id: (value) => checked(value, typeof value === 'string', 'identity.schema_id is no text'),
  state: readState,
  metadata_public: (value) => value,
  metadata_admin: (value) => value,
  external_id: (value) =>
    checked(value, value === null || typeof value === 'string', 'identity.external_id is no text'),
  verifiable_addresses: (value) => {
    if (!Array.isArray(value) || value.length > MAX_ADDRESSES) {
      throw new Error(`identity.verifiable_addresses is no list of at most ${MAX_ADDRESSES}`)
    }
    return value.map(readClaim)
  },
}

function checked(value: Json, holds: boolean, problem: string): Json {
  if (!holds) throw new Error(problem)
  return value
}
