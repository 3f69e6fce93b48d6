import type { JsonObject } from '../../identities/types.ts'
import { parseTime } from '../../kernel/base/clock.ts'
import type { Db } from '../../kernel/db/client.ts'
import type { Resolved, Session } from '../../sessions/types.ts'
import {
  attempt,
  currentCsrfToken,
  type Failed,
  failed,
  findSubmitted,
  type ShownAgain,
  type Taken,
} from '../attempt.ts'
import { type BeginRequest, expiryOf } from '../begin.ts'
import { leave, type NextForm, type Redirect, showNext } from '../engine/step.ts'
import { initiatedByOther, refreshRequired } from '../errors.ts'
import { fieldText, transientPayload } from '../form.ts'
import { messages } from '../messages.ts'
import { refused } from '../refused.ts'
import { type Replaced, replaceExpired } from '../replace.ts'
import type { Caller, SubmittedForm } from '../types.ts'
import { assertProven, type BeginSettingsDeps, insertFlow, newSettingsFlow, schemaOf, viewOf } from './begin.ts'
import type { Change, SettingsMethod, SettingsMethodId, SettingsRequest } from './method.ts'
import { type SaveDeps, type Saved, save } from './save.ts'
import type { SettingsFlow } from './types.ts'

export type SubmitSettingsDeps = BeginSettingsDeps & SaveDeps & { db: Pick<Db, 'tx'> }

export type SettingsOutcome =
  | Saved
  | Replaced<SettingsFlow>
  | ShownAgain<SettingsFlow>
  /** the next step of the form */
  | (Omit<ShownAgain<SettingsFlow>, 'kind'> & { kind: 'next' })
  | Failed
  | (Redirect & { flow: SettingsFlow })
  /** the session is too old for this change: the caller has to sign in again and comes back */
  | { kind: 'reauthenticate'; flow: SettingsFlow; at: string; method: SettingsMethod['id']; form: JsonObject }

/**
 * Takes a submitted settings form. Every check comes before the first write.
 * @throws 400 without a flow id, 404, 403 for the flow of another identity, without the token, without the second factor
 */
export async function submitSettings(
  d: SubmitSettingsDeps,
  flowId: string,
  caller: Caller,
  { session }: Resolved,
): Promise<SettingsOutcome> {
  const flow = await findSubmitted(d.store, flowId, 'settings')
  if (flow.identity_id !== session.identity_id) throw initiatedByOther()
  try {
    assertProven(d, session, d.urls.action('settings', flow.id))
  } catch (error) {
    return failed(flow, error)
  }
  const expired = expiryOf(flow, d.clock.now())
  if (expired) {
    const make = (request: BeginRequest) => newSettingsFlow(d, request, session.identity)
    return replaceExpired('settings', { old: flow, expired, caller }, make, (begun) => insertFlow(d, begun))
  }
  const { identity } = session
  const view = viewOf(flow, identity, schemaOf(d, identity), () => d.identities.get(identity.id))
  async function take(): Promise<Taken<SettingsMethod>> {
    const form = await caller.form()
    const method = d.methods.find((one) => one.takes(form, flow))
    if (!method) throw refused(messages.noSettingsMethod)
    return { form, method, kept: method.kept?.(form, view.schema) ?? new Map() }
  }
  return attempt<SettingsFlow, Taken<SettingsMethod>, SettingsOutcome>(
    d,
    { flow, caller },
    take,
    ({ form, method }, payload) => {
      const requirePrivilege = () => {
        if (!isPrivileged(d, session)) throw new PrivilegeMissing()
      }
      const csrfToken = currentCsrfToken(flow, caller)
      const request = { ...view, form, session, csrfToken, requirePrivilege }
      return proceed(d, method, request, caller, payload).catch((error: unknown) => {
        if (error instanceof PrivilegeMissing) return reauthenticate(d, method, request)
        throw error
      })
    },
  )
}

/** The session is too old for the change. */
class PrivilegeMissing extends Error {
  override readonly name = 'PrivilegeMissing'
}

async function proceed(
  d: SubmitSettingsDeps,
  method: SettingsMethod,
  request: SettingsRequest,
  caller: Caller,
  payload: JsonObject | undefined,
): Promise<SettingsOutcome> {
  const { flow, session } = request
  const result = await method.change(request)
  if (result.kind === 'redirect') return leave(d, flow, result)
  if (result.kind === 'form') return next(d, flow, result, payload)
  const mayWrite = (now: Session) => isPrivileged(d, now) || !result.needsPrivilege(now.identity)
  const saved =
    mayWrite(session) &&
    (await save(d, { flow, caller, method: method.id, change: result, session, transientPayload: payload, mayWrite }))
  if (!saved) throw new PrivilegeMissing()
  return saved
}

/** A change whose method has a route of its own. */
export interface FinishedOutside {
  flow: SettingsFlow
  caller: Caller
  resolved: Resolved
  method: SettingsMethodId
  change: Change
  transientPayload: JsonObject | undefined
}

/** @throws 403 for a session that is too old by now, 401, FormRefused */
export async function finishOutside(d: SubmitSettingsDeps, c: FinishedOutside): Promise<SettingsOutcome> {
  const { flow, caller, method, change, transientPayload } = c
  const { session } = c.resolved
  assertProven(d, session, d.urls.action('settings', flow.id))
  const mayWrite = (now: Session) => isPrivileged(d, now) || !change.needsPrivilege(now.identity)
  const saved =
    mayWrite(session) && (await save(d, { flow, caller, method, change, session, mayWrite, transientPayload }))
  if (!saved) throw refreshRequired(d.urls.login({ refresh: 'true', return_to: d.urls.page('settings', flow.id) }))
  return saved
}

async function next(d: SubmitSettingsDeps, flow: SettingsFlow, step: NextForm, payload: JsonObject | undefined) {
  return { ...(await showNext(d, flow, step, payload)), kind: 'next' as const }
}

export function isPrivileged(d: SubmitSettingsDeps, session: Session): boolean {
  const maxAgeMs = d.config().selfservice.flows.settings.privileged_session_max_age
  return parseTime(session.authenticated_at) + maxAgeMs * 1000 >= d.clock.now()
}

/** The login to send the caller to, and the form in the format of Kratos, for the server that resumes it. */
function reauthenticate(
  d: SubmitSettingsDeps,
  { id, waiting }: SettingsMethod,
  { flow, form, schema }: SettingsRequest,
): SettingsOutcome {
  const at = d.urls.login({ refresh: 'true', return_to: d.urls.action('settings', flow.id) })
  return { kind: 'reauthenticate', flow, at, method: id, form: waitingForm(id, flow, form, waiting(form, schema)) }
}

function waitingForm(method: string, flow: SettingsFlow, form: SubmittedForm, wanted: JsonObject): JsonObject {
  const payload = transientPayload(form)
  return {
    method,
    flow: flow.id,
    csrf_token: fieldText(form, 'csrf_token'),
    ...wanted,
    ...(payload === undefined ? {} : { transient_payload: payload }),
  }
}
