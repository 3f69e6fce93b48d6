import type { Identity, JsonObject } from '../../identities/types.ts'
import { parseTime } from '../../kernel/base/clock.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Resolved, Session } from '../../sessions/types.ts'
import {
  attempt,
  currentCsrfToken,
  type Failed,
  findSubmitted,
  refused,
  type ShownAgain,
  type Told,
} from '../attempt.ts'
import { expiryOf } from '../begin.ts'
import { initiatedByOther, sessionMissing } from '../errors.ts'
import { checkOrigin, fieldText, transientPayload } from '../form.ts'
import { messages } from '../messages.ts'
import { withProblems } from '../nodes.ts'
import { submittedTraits, traitValues } from '../traits.ts'
import type { Caller, Expired, SubmittedForm } from '../types.ts'
import { assertProven, type BeginSettingsDeps, formOf, newSettingsFlow, schemaOf } from './begin.ts'
import { type ChangeDeps, type CheckedChange, nothingSent, passwordChange, traitsChange } from './change.ts'
import type { SettingsFlow } from './types.ts'

export type SubmitSettingsDeps = BeginSettingsDeps & ChangeDeps & { sessions: Pick<SessionService, 'resolve'> }

export interface Saved {
  kind: 'saved'
  flow: SettingsFlow
  identity: Identity
  returnTo: string
}

export type SettingsOutcome =
  | Saved
  | ShownAgain<SettingsFlow>
  | Failed
  | { kind: 'replaced'; flow: SettingsFlow; expired: Expired }
  /** the session is too old for this change: the person has to sign in again and comes back */
  | { kind: 'reauthenticate'; flow: SettingsFlow; at: string; method: Method; form: JsonObject }

type Method = 'password' | 'profile'

/**
 * Takes a submitted settings form. Every check comes before the first write.
 * @throws 400 without a flow id, 404, 403 for the flow of somebody else, without the token, without the second factor
 */
export async function submitSettings(
  d: SubmitSettingsDeps,
  flowId: string,
  caller: Caller,
  { session }: Resolved,
): Promise<SettingsOutcome> {
  const flow = await findSubmitted(d.store, flowId)
  if (flow.identity_id !== session.identity_id) throw initiatedByOther()
  return attempt(d, flow, caller, async (told): Promise<SettingsOutcome> => {
    assertProven(d, session, d.urls.page('settings', flow.id))
    const expired = expiryOf(flow, d.clock.now())
    if (expired) return replace(d, flow, expired, caller, session)
    const form = await caller.form()
    const method = methodOf(d, form)
    told.taken = true
    checkOrigin(flow, caller, form)
    transientPayload(form)
    if (method === 'password' && fieldText(form, 'password') === '')
      throw refused(messages.missing('password'), 'password')
    const change = await checkedChange(d, session, method, form, told)
    if (!change) return reauthenticate(d, flow, session, method, form)
    // Hashing takes long enough to be signed out meanwhile, perhaps because somebody else held this session.
    if (!(await d.sessions.resolve(caller.credentials))) throw sessionMissing()
    return save(d, flow, caller, method, change)
  })
}

/** @throws FormRefused for a method that is none of ours */
function methodOf(d: SubmitSettingsDeps, form: SubmittedForm): Method {
  const method = fieldText(form, 'method')
  const known = method === 'password' || method === 'profile'
  if (!known || !d.config().selfservice.methods[method].enabled) throw refused(messages.noSettingsMethod)
  return method
}

async function checkedChange(
  d: SubmitSettingsDeps,
  session: Session,
  method: Method,
  form: SubmittedForm,
  told: Told,
): Promise<CheckedChange | undefined> {
  const schema = schemaOf(d, session.identity)
  const privileged = isPrivileged(d, session)
  if (method === 'password') return privileged ? passwordChange(d, session, schema, form) : undefined
  const traits = submittedTraits(form, schema)
  told.values = traitValues(traits, schema.inputs)
  if (fieldNames(form).every((name) => name !== 'traits' && !name.startsWith('traits.'))) throw nothingSent()
  return traitsChange(d, session.identity, schema, traits, privileged)
}

const fieldNames = (form: SubmittedForm) => Object.keys(form.values)

function isPrivileged(d: SubmitSettingsDeps, session: Session): boolean {
  const maxAgeMs = d.config().selfservice.flows.settings.privileged_session_max_age
  return parseTime(session.authenticated_at) + maxAgeMs * 1000 >= d.clock.now()
}

/** Where the person signs in again, and the form in the words of Kratos, to be taken up by whichever server is next. */
function reauthenticate(
  d: SubmitSettingsDeps,
  flow: SettingsFlow,
  session: Session,
  method: Method,
  form: SubmittedForm,
): SettingsOutcome {
  const at = d.urls.login({ refresh: 'true', return_to: d.urls.action('settings', flow.id) })
  const payload = transientPayload(form)
  const wanted =
    method === 'password'
      ? { password: fieldText(form, 'password') }
      : { traits: submittedTraits(form, schemaOf(d, session.identity)) }
  return {
    ...{ kind: 'reauthenticate', flow, at, method },
    form: {
      ...{ method, flow: flow.id, csrf_token: fieldText(form, 'csrf_token'), ...wanted },
      ...(payload === undefined ? {} : { transient_payload: payload }),
    },
  }
}

async function save(
  d: SubmitSettingsDeps,
  flow: SettingsFlow,
  caller: Caller,
  method: Method,
  change: CheckedChange,
): Promise<Saved> {
  const returnTo = returnToOf(d, flow, method)
  return d.db.tx(async (tx) => {
    const identity = await change(tx)
    const ui = withProblems(formOf(d, flow.id, currentCsrfToken(flow, caller), identity), [{ message: messages.saved }])
    const saved: SettingsFlow = { ...flow, ui, state: 'success' }
    await d.store.complete(saved, method, tx)
    return { kind: 'saved', flow: saved, identity, returnTo }
  })
}

function returnToOf(d: SubmitSettingsDeps, flow: SettingsFlow, method: Method): string {
  const { after } = d.config().selfservice.flows.settings
  const { default_browser_return_url: own } = after[method]
  return d.urls.returnTo(flow.request_url, own, after.default_browser_return_url, d.urls.page('settings', flow.id))
}

async function replace(
  d: SubmitSettingsDeps,
  old: SettingsFlow,
  expired: Expired,
  caller: Caller,
  session: Session,
): Promise<SettingsOutcome> {
  const request = { type: old.type, requestUrl: old.request_url, csrfToken: currentCsrfToken(old, caller) }
  const flow = newSettingsFlow(d, request, session.identity)
  flow.ui = withProblems(flow.ui, [{ message: messages.expired('settings', expired) }])
  await d.store.insert(flow)
  return { kind: 'replaced', flow, expired }
}
