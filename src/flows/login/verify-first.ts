import type { Db } from '../../kernel/db/client.ts'
import { currentCsrfToken } from '../attempt.ts'
import type { Redirect } from '../engine/step.ts'
import { addressUnverified } from '../errors.ts'
import { HookRefused } from '../hooks/hooks.ts'
import { messages } from '../messages.ts'
import { showVerification, verifyUnasked } from '../verification/unasked.ts'
import type { CompleteLoginDeps, Completion } from './complete.ts'
import type { LoginFlow } from './types.ts'

export type VerifyFirstDeps = Pick<CompleteLoginDeps, 'config' | 'urls' | 'verification' | 'identities'> & {
  db: Pick<Db, 'tx'>
}

/** The hook `require_verified_address` is on, and the identity has no verified address. */
export class NoneVerified extends Error {
  override readonly name = 'NoneVerified'
}

/**
 * Signs in, or if the hook refuses that, begins the verification of an address instead. What the sign-in
 * has written by then is rolled back.
 * @throws 403 for scripts and apps, HookRefused if no verification can begin; whatever `signIn` throws
 */
export async function orVerifyFirst<T>(
  d: VerifyFirstDeps,
  c: Completion,
  signIn: () => Promise<T>,
): Promise<T | (Redirect & { flow: LoginFlow })> {
  try {
    return await signIn()
  } catch (error) {
    if (error instanceof NoneVerified) return verifyFirst(d, c)
    throw error
  }
}

async function verifyFirst(d: VerifyFirstDeps, { flow, caller, proved }: Completion) {
  if (d.config().feature_flags.legacy_require_verified_login_error) throw refused()
  const csrfToken = currentCsrfToken(flow, caller)
  const request = { type: flow.type, requestUrl: flow.request_url, csrfToken, facts: caller.facts }
  const begun = await d.db.tx(async (tx) => {
    const identity = await d.identities.get(proved.identity.id, tx)
    return verifyUnasked(d.verification, { identity, request, session: undefined, needs: () => true }, tx)
  })
  if (caller.scripted || flow.type === 'api') throw addressUnverified(showVerification(d.urls, begun, true))
  const [first] = begun
  if (!first) throw refused()
  return { kind: 'redirect' as const, to: d.urls.page('verification', first.flow.id), flow }
}

const refused = () => new HookRefused([{ message: messages.unverified }])
