import type { Identity } from '../../identities/types.ts'
import { NotLocked, type Queryable } from '../../kernel/db/client.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Session } from '../../sessions/types.ts'
import { currentCsrfToken } from '../attempt.ts'
import { sessionMissing } from '../errors.ts'
import { messages } from '../messages.ts'
import { withProblems } from '../nodes.ts'
import type { Caller } from '../types.ts'
import { assertProven, type BeginSettingsDeps, formOf, schemaOf, viewOf } from './begin.ts'
import type { Change, SettingsMethodId } from './method.ts'
import type { SettingsFlow } from './types.ts'

export type SaveDeps = BeginSettingsDeps & { sessions: Pick<SessionService, 'resolve' | 'hold' | 'revokeAllOf'> }

export interface Saved {
  kind: 'saved'
  flow: SettingsFlow
  identity: Identity
  returnTo: string
}

export interface Checked {
  flow: SettingsFlow
  caller: Caller
  method: SettingsMethodId
  change: Change
  session: Session
  /** asked of the session, and its identity, as they are once they are locked */
  mayWrite(now: Session): boolean
}

/**
 * Asks all questions again, of the session and identity as they are once nobody else can change them: hashing, or waiting
 * for others, takes long enough to be signed out meanwhile, perhaps because somebody else held this session.
 * @returns undefined when the session is too old by now
 * @throws 401 when it has ended, 403
 */
export async function save(d: SaveDeps, c: Checked): Promise<Saved | undefined> {
  const { flow, method, session } = c
  const returnTo = returnToOf(d, flow, method)
  const rows = { identity: session.identity_id, session: session.id }
  const write = async (tx: Queryable): Promise<Saved | undefined> => {
    await d.store.lock(flow.id, tx)
    const now = await d.sessions.hold(session, tx)
    if (!now) throw sessionMissing()
    assertProven(d, now, d.urls.action('settings', flow.id))
    if (!c.mayWrite(now)) return undefined
    const identity = await c.change.write(tx)
    await runHooks(d, c, tx)
    const view = viewOf(flow, identity, schemaOf(d, identity), async () => identity)
    const form = await formOf(d, view, currentCsrfToken(flow, c.caller))
    const ui = withProblems(form.ui, [{ message: messages.saved }])
    const saved: SettingsFlow = { ...flow, ui, context: form.context, state: 'success' }
    await d.store.complete(saved, method, tx)
    return { kind: 'saved', flow: saved, identity, returnTo }
  }
  return d.locks.tx(rows, write).catch((error: unknown) => {
    throw error instanceof NotLocked ? sessionMissing() : error
  })
}

async function runHooks(d: SaveDeps, { method, session }: Checked, tx: Queryable): Promise<void> {
  const { hooks } = d.config().selfservice.flows.settings.after[method]
  if (!hooks.some(({ hook }) => hook === 'revoke_active_sessions')) return
  await d.sessions.revokeAllOf(session.identity_id, 'credentials_changed', { except: session.id, tx })
}

function returnToOf(d: SaveDeps, flow: SettingsFlow, method: SettingsMethodId): string {
  const { after } = d.config().selfservice.flows.settings
  const { default_browser_return_url: own } = after[method]
  return d.urls.returnTo(flow.request_url, own, after.default_browser_return_url, d.urls.page('settings', flow.id))
}
