import type { Config } from '../../config/schema/schema.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { FullIdentity, Identity, JsonObject } from '../../identities/types.ts'
import { NotLocked, type Queryable } from '../../kernel/db/client.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Session } from '../../sessions/types.ts'
import { currentCsrfToken } from '../attempt.ts'
import { sessionMissing } from '../errors.ts'
import { decides, hooksOf, webHooks } from '../hooks/hooks.ts'
import type { ConfiguredHook, HookContext } from '../hooks/types.ts'
import { messages } from '../messages.ts'
import { withProblems } from '../nodes.ts'
import type { Caller } from '../types.ts'
import type { VerificationFlows } from '../verification/flow.ts'
import { type Begun, verifyUnasked } from '../verification/unasked.ts'
import { settingsAnswer } from './answer.ts'
import { assertProven, type BeginSettingsDeps, formOf, schemaOf, viewOf } from './begin.ts'
import type { Change, SettingsMethodId } from './method.ts'
import type { SettingsFlow } from './types.ts'

export type SaveDeps = BeginSettingsDeps & {
  sessions: Pick<SessionService, 'resolve' | 'hold' | 'revokeAllOf' | 'answer'>
  identities: Pick<IdentityService, 'get' | 'amend'>
  verification: Pick<VerificationFlows, 'beginUnasked'>
}

export interface Saved {
  kind: 'saved'
  flow: SettingsFlow
  identity: Identity
  returnTo: string
  /** verifications that were begun and that the owner should continue with */
  verifications: Begun[]
}

export interface Checked {
  flow: SettingsFlow
  caller: Caller
  method: SettingsMethodId
  change: Change
  session: Session
  transientPayload: JsonObject | undefined
  /** called with the session, and its identity, after they are locked */
  mayWrite(now: Session): boolean
}

/**
 * Calls the web hooks that may refuse or change, and then checks everything again under the lock of session and identity: hashing,
 * or waiting for others, takes long enough for the session to be ended meanwhile, perhaps because a thief held it.
 * @returns undefined when the session is too old by now
 * @throws 401 when it has ended, 403
 */
export async function save(d: SaveDeps, c: Checked): Promise<Saved | undefined> {
  const { flow, method, session, change } = c
  const returnTo = returnToOf(d, flow, method)
  const hooks = hooksAfter(d, method)
  const preview = change.preview?.(session.identity) ?? session.identity
  const amendment = await d.hooks.run(webHooks(hooks).filter(decides), () => hookContext(d, c, preview))
  const rows = { identity: session.identity_id, session: session.id }
  const write = async (tx: Queryable): Promise<Saved | undefined> => {
    await d.store.lock(flow.id, tx)
    const now = await d.sessions.hold(session, tx)
    if (!now) throw sessionMissing()
    assertProven(d, now, d.urls.action('settings', flow.id))
    if (!c.mayWrite(now)) return undefined
    const written = await change.write(tx)
    const stored = amendment ? await d.identities.amend(written.id, amendment, tx) : written
    const { begun, identity } = await verify(d, c, stored, tx)
    if (hooks.some(({ hook }) => hook === 'revoke_active_sessions')) {
      await d.sessions.revokeAllOf(session.identity_id, 'credentials_changed', { except: session.id, tx })
    }
    const view = viewOf(flow, identity, schemaOf(d, identity), async () => identity)
    const form = await formOf(d, view, currentCsrfToken(flow, c.caller))
    const ui = withProblems(form.ui, [{ message: messages.saved }])
    const saved: SettingsFlow = { ...flow, ui, context: form.context, state: 'success', active_method: method }
    await d.store.complete(saved, method, tx)
    const shows = hooks.some(({ hook }) => hook === 'show_verification_ui')
    return { kind: 'saved', flow: saved, identity, returnTo, verifications: shows ? begun : [] }
  }
  const saved = await d.locks.tx(rows, write).catch((error: unknown) => {
    throw error instanceof NotLocked ? sessionMissing() : error
  })
  // The change is made by now, and the answer says so whatever these hooks answer.
  const others = webHooks(hooks).filter((hook) => !decides(hook))
  if (saved) await d.hooks.tell(others, () => hookContext(d, c, saved.identity))
  return saved
}

/** Writes to addresses that have not been written to yet: new ones, and earlier ones that were left over. */
async function verify(d: SaveDeps, { flow, caller, session }: Checked, identity: FullIdentity, tx: Queryable) {
  const csrfToken = currentCsrfToken(flow, caller)
  const request = { type: flow.type, requestUrl: flow.request_url, csrfToken, facts: caller.facts }
  const needs = ({ verified, status }: { verified: boolean; status: string }) => !verified && status === 'pending'
  const begun = await verifyUnasked(d.verification, { identity, request, session, needs }, tx)
  return { begun, identity: begun.length > 0 ? await d.identities.get(identity.id, tx) : identity }
}

const hooksAfter = ({ config }: SaveDeps, method: SettingsMethodId): readonly ConfiguredHook[] =>
  hooksOf<ConfiguredHook>(after(config(), method).hooks, config().selfservice.flows.settings.after.hooks)

const after = ({ selfservice }: Config, method: SettingsMethodId) => selfservice.flows.settings.after[method]

function hookContext(
  d: SaveDeps,
  { flow, caller, session, transientPayload }: Checked,
  identity: Identity,
): HookContext {
  const shown = d.identityAnswer(identity)
  return {
    flow: settingsAnswer(flow, shown, transientPayload),
    request: caller.facts(),
    identity: shown,
    session: d.sessions.answer({ ...session, identity }),
  }
}

function returnToOf(d: SaveDeps, flow: SettingsFlow, method: SettingsMethodId): string {
  const { after } = d.config().selfservice.flows.settings
  const { default_browser_return_url: own } = after[method]
  return d.urls.returnTo(flow.request_url, own, after.default_browser_return_url, d.urls.page('settings', flow.id))
}
