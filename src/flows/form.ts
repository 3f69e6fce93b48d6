import { isObject, type Json, type JsonObject } from '../identities/types.ts'
import { stringifyJson } from '../kernel/base/exact-json.ts'
import { type JsonLimits, NUL_REFUSED, parseJson, TextRefused } from '../kernel/base/json.ts'
import { badRequest, HttpError } from '../kernel/http/errors.ts'
import { nativeFlowInBrowser } from './errors.ts'
import { messages } from './messages.ts'
import { refused } from './refused.ts'
import type { Caller, Flow, SubmittedForm } from './types.ts'

/** A form without fields. */
const EMPTY: SubmittedForm = { kind: 'json', values: {}, limits: { values: 0, depth: 0 } }

/**
 * A form with a code, or a request for one. One with a NUL cannot be stored, and holds no code that was ever sent: it
 * counts as empty once a code is out.
 */
export async function proofForm(flow: Pick<Flow, 'state'>, caller: Caller): Promise<SubmittedForm> {
  try {
    return await caller.form()
  } catch (error) {
    const isNul = error instanceof HttpError && error.reason === NUL_REFUSED
    if (isNul && flow.state !== 'choose_method') return EMPTY
    throw error
  }
}

export const isUnreadable = (form: SubmittedForm) => form === EMPTY

/** A field as text, as Kratos reads scalars of JSON; empty when it is absent. */
export function fieldText(form: SubmittedForm, name: string): string {
  if (form.kind === 'form') return form.values[name]?.[0] ?? ''
  return Object.hasOwn(form.values, name) ? jsonText(form.values[name]!) : ''
}

function jsonText(value: Json): string {
  if (value === null) return ''
  if (typeof value === 'string') return value
  return typeof value === 'object' ? stringifyJson(value) : String(value)
}

/**
 * Data that a client passes along. It is returned in answers and never stored.
 * @throws FormRefused if it is no object; 400, see {@link parsed}
 */
export function transientPayload(form: SubmittedForm): JsonObject | undefined {
  const text = fieldText(form, 'transient_payload')
  if (text === '') return undefined
  const read = parsed(text, form.limits)
  const value = read === undefined ? text : read
  if (!isObject(value)) throw refused(messages.wrongType('object', value), 'transient_payload')
  return value
}

/**
 * JSON in a text of a form, with the limits of a body; undefined for invalid JSON.
 * @throws 400 beyond the limits, and for values that cannot be stored
 */
export function parsed(text: string, limits: JsonLimits): Json | undefined {
  try {
    return parseJson(text, limits) as Json
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error instanceof TextRefused ? badRequest(error.message) : error
  }
}

/**
 * A form of a browser must carry the token of its cookie; a native one must not come from a browser at all.
 * @throws 403 `security_csrf_violation`; 400, which the form shows
 */
export function checkOrigin(
  flow: Pick<Flow, 'type' | 'request_url' | 'ui'>,
  caller: Caller,
  form: SubmittedForm,
  cookiesAllowed: boolean = false,
): void {
  if (flow.type === 'browser') return caller.checkCsrf(fieldText(form, 'csrf_token'), flow)
  const { browserHeader } = caller
  if (browserHeader === 'Cookie' && cookiesAllowed) return
  if (browserHeader !== undefined) throw nativeFlowInBrowser(browserHeader)
}
