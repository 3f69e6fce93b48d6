import type { Config } from '../../config/schema/schema.ts'
import type { Identity, JsonObject } from '../../identities/types.ts'
import { formatTime } from '../../kernel/base/clock.ts'
import type { Session } from '../../sessions/types.ts'
import { identityDisabled } from '../errors.ts'
import { hooksOf, webHooks } from '../hooks/hooks.ts'
import type { ConfiguredHook } from '../hooks/types.ts'
import { loginAnswer } from './answer.ts'
import type { BeginLoginDeps } from './begin.ts'
import { type CompleteLoginDeps, type Completion, renewedBy } from './complete.ts'
import type { LoginMethodId } from './method.ts'
import { NoneVerified } from './verify-first.ts'

export type AdmitDeps = Pick<BeginLoginDeps, 'config' | 'urls' | 'hooks' | 'clock'> &
  Pick<CompleteLoginDeps, 'sessions'>

/** Permission to sign in, with what hooks have said. */
export interface Admission {
  hooks: readonly ConfiguredHook[]
  returnTo: string
  /** of a new session, if hooks have been told it */
  sessionId: string | undefined
  /** called with the identity again when the session begins. @throws what refuses the login */
  mayEnter(identity: Identity): void
}

/**
 * Checks everything between a proof and a session: the state of the identity, then the web hooks.
 * @param before of an earlier try with the same form: receivers are called once
 * @throws 401 for a disabled identity, NoneVerified, HookRefused, 502, 504
 */
export async function admit(d: AdmitDeps, c: Completion, before?: Admission): Promise<Admission> {
  const { flow, caller, method, proved } = c
  const hooks = hooksAfterLogin(d.config(), method)
  const mayEnter = (identity: Identity) => assertMayEnter(hooks, identity)
  mayEnter(proved.identity)
  if (before) return before
  const returnTo = returnToOf(d, c)
  const receivers = webHooks(hooks)
  if (receivers.length === 0) return { hooks, returnTo, sessionId: undefined, mayEnter }
  const session = sessionAfter(d, c)
  await d.hooks.run(receivers, () => {
    const answer = d.sessions.answer(session)
    return {
      flow: loginAnswer({ ...flow, active_method: method }, { transientPayload: c.transientPayload }),
      request: caller.facts(),
      identity: answer.identity as JsonObject,
      session: answer,
    }
  })
  return { hooks, returnTo, sessionId: session.id, mayEnter }
}

/** The session that would begin: hooks are told it before. */
function sessionAfter(d: AdmitDeps, c: Completion): Session {
  const { identity, authentication } = c.proved
  const renewed = renewedBy(c)?.session
  if (!renewed) return d.sessions.draft({ identity, authentication, device: c.caller.device })
  const methods = [...renewed.authentication_methods, { ...authentication, completed_at: formatTime(d.clock.now()) }]
  return { ...renewed, authentication_methods: methods }
}

/** The settings for logins by one method. */
function afterMethod(config: Config, method: LoginMethodId) {
  return method === 'identifier_first' ? undefined : config.selfservice.flows.login.after[method]
}

function hooksAfterLogin(config: Config, method: LoginMethodId): readonly ConfiguredHook[] {
  return hooksOf<ConfiguredHook>(afterMethod(config, method)?.hooks, config.selfservice.flows.login.after.hooks)
}

/** @throws 401, NoneVerified */
function assertMayEnter(hooks: readonly ConfiguredHook[], identity: Identity): void {
  if (identity.state !== 'active') throw identityDisabled(identity.id)
  if (!hooks.some(({ hook }) => hook === 'require_verified_address')) return
  if (identity.verifiable_addresses.some(({ verified }) => verified)) return
  throw new NoneVerified()
}

function returnToOf(d: AdmitDeps, { flow, method }: Completion): string {
  const { after } = d.config().selfservice.flows.login
  const own = afterMethod(d.config(), method)?.default_browser_return_url
  return d.urls.returnTo(flow.request_url, own, after.default_browser_return_url)
}
