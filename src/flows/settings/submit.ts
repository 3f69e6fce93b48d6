import type { Identity, JsonObject } from '../../identities/types.ts'
import { parseTime } from '../../kernel/base/clock.ts'
import { NotLocked, type Queryable } from '../../kernel/db/client.ts'
import type { SessionService } from '../../sessions/service.ts'
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
import { initiatedByOther, sessionMissing } from '../errors.ts'
import { fieldText, transientPayload } from '../form.ts'
import { messages } from '../messages.ts'
import { withProblems } from '../nodes.ts'
import { refused } from '../refused.ts'
import { type Replaced, replaceExpired } from '../replace.ts'
import { submittedTraits, traitValues } from '../traits.ts'
import type { Caller, SubmittedForm } from '../types.ts'
import { assertProven, type BeginSettingsDeps, formOf, insertFlow, newSettingsFlow, schemaOf } from './begin.ts'
import { type ChangeDeps, type CheckedChange, nothingSent, passwordChange, traitsChange } from './change.ts'
import type { SettingsFlow } from './types.ts'

export type SubmitSettingsDeps = BeginSettingsDeps &
  ChangeDeps & {
    sessions: Pick<SessionService, 'resolve' | 'hold'>
  }

export interface Saved {
  kind: 'saved'
  flow: SettingsFlow
  identity: Identity
  returnTo: string
}

export type SettingsOutcome =
  | Saved
  | Replaced<SettingsFlow>
  | ShownAgain<SettingsFlow>
  | Failed
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
  try {
    assertProven(d, session, d.urls.page('settings', flow.id))
  } catch (error) {
    return failed(flow, error)
  }
  const expired = expiryOf(flow, d.clock.now())
  if (expired) {
    const make = async (request: BeginRequest) => ({ flow: newSettingsFlow(d, request, session.identity), writes: [] })
    return replaceExpired('settings', { old: flow, expired, caller }, make, (begun) => insertFlow(d, begun.flow))
  }
  async function take(): Promise<Taken<Method>> {
    const form = await caller.form()
    const method = methodOf(d, form)
    return { form, method, kept: keptOf(d, session, method, form) }
  }
  return attempt<SettingsFlow, Method, SettingsOutcome>(d, { flow, caller }, take, async ({ form, method }) => {
    if (method === 'password' && fieldText(form, 'password') === '')
      throw refused(messages.missing('password'), 'password')
    // A password is not even looked at for a session that may not change it.
    const change =
      method === 'profile' || isPrivileged(d, session) ? await checkedChange(d, session, method, form) : undefined
    const saved = change && mayWrite(d, change, session) && (await save(d, { flow, caller, method, change, session }))
    return saved || reauthenticate(d, flow, session, method, form)
  })
}

function keptOf(d: SubmitSettingsDeps, { identity }: Session, method: Method, form: SubmittedForm) {
  const schema = schemaOf(d, identity)
  return method === 'profile' ? traitValues(submittedTraits(form, schema), schema.inputs) : new Map()
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
): Promise<CheckedChange> {
  const schema = schemaOf(d, session.identity)
  if (method === 'password') return passwordChange(d, session, schema, form)
  const traits = submittedTraits(form, schema)
  if (fieldNames(form).every((name) => name !== 'traits' && !name.startsWith('traits.'))) throw nothingSent()
  return traitsChange(d, session.identity, schema, traits)
}

const fieldNames = (form: SubmittedForm) => Object.keys(form.values)

function isPrivileged(d: SubmitSettingsDeps, session: Session): boolean {
  const maxAgeMs = d.config().selfservice.flows.settings.privileged_session_max_age
  return parseTime(session.authenticated_at) + maxAgeMs * 1000 >= d.clock.now()
}

/** Whether the session is fresh enough, and the identity such, that the change may be made. */
const mayWrite = (d: SubmitSettingsDeps, change: CheckedChange, session: Session) =>
  isPrivileged(d, session) || !change.needsPrivilege(session.identity)

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

interface Change {
  flow: SettingsFlow
  caller: Caller
  method: Method
  change: CheckedChange
  session: Session
}

/**
 * Asks all questions again, of the session and identity as they are once nobody else can change them: hashing, or waiting
 * for others, takes long enough to be signed out meanwhile, perhaps because somebody else held this session.
 * @returns undefined when the session is too old by now
 * @throws 401 when it has ended, 403
 */
async function save(d: SubmitSettingsDeps, { flow, caller, method, change, session }: Change) {
  const returnTo = returnToOf(d, flow, method)
  const rows = { identity: session.identity_id, session: session.id }
  const write = async (tx: Queryable): Promise<Saved | undefined> => {
    await d.store.lock(flow.id, tx)
    const now = await d.sessions.hold(session, tx)
    if (!now) throw sessionMissing()
    assertProven(d, now, d.urls.page('settings', flow.id))
    if (!mayWrite(d, change, now)) return undefined
    const identity = await change.write(tx)
    const ui = withProblems(formOf(d, flow.id, currentCsrfToken(flow, caller), identity), [{ message: messages.saved }])
    const saved: SettingsFlow = { ...flow, ui, state: 'success' }
    await d.store.complete(saved, method, tx)
    return { kind: 'saved', flow: saved, identity, returnTo }
  }
  return d.locks.tx(rows, write).catch((error: unknown) => {
    throw error instanceof NotLocked ? sessionMissing() : error
  })
}

function returnToOf(d: SubmitSettingsDeps, flow: SettingsFlow, method: Method): string {
  const { after } = d.config().selfservice.flows.settings
  const { default_browser_return_url: own } = after[method]
  return d.urls.returnTo(flow.request_url, own, after.default_browser_return_url, d.urls.page('settings', flow.id))
}
