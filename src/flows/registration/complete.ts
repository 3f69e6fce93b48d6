import type { Config } from '../../config/schema/schema.ts'
import type { Registration } from '../../identities/creation.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { Identity, IdentitySchema, Json, JsonObject } from '../../identities/types.ts'
import { NO_UUID, uuid } from '../../kernel/base/uuid.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import { Conflict, type Db, type Queryable } from '../../kernel/db/client.ts'
import { HttpError } from '../../kernel/http/errors.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Session } from '../../sessions/types.ts'
import { currentCsrfToken } from '../attempt.ts'
import { identityDisabled } from '../errors.ts'
import { decides, type Hooks, hooksOf, webHooks } from '../hooks/hooks.ts'
import type { ConfiguredHook, HookContext, IdentityChange } from '../hooks/types.ts'
import { messages } from '../messages.ts'
import { refused } from '../refused.ts'
import type { Caller } from '../types.ts'
import type { FlowUrls } from '../urls.ts'
import type { VerificationFlows } from '../verification/flow.ts'
import { type Begun, verifyUnasked } from '../verification/unasked.ts'
import { registrationAnswer } from './answer.ts'
import type { CheckedRegistration, RegistrationMethodId } from './method.ts'
import type { RegistrationFlow } from './types.ts'

export interface CompleteRegistrationDeps {
  config(): Config
  random: Random
  db: Pick<Db, 'tx'>
  urls: FlowUrls
  hooks: Hooks
  sessions: Pick<SessionService, 'draft' | 'issue'>
  identities: Pick<IdentityService, 'register' | 'prepare' | 'get'>
  verification: Pick<VerificationFlows, 'beginUnasked'>
  /** an identity as clients see it */
  identityAnswer(identity: Identity): JsonObject
}

export interface Registered {
  kind: 'registered'
  flow: RegistrationFlow
  identity: Identity
  method: RegistrationMethodId
  /** with the hook `session`: signed in at once */
  issued: { session: Session; token: string } | undefined
  returnTo: string
  /** verifications that were begun and that the person should continue with */
  verifications: Begun[]
}

export interface Completion {
  flow: RegistrationFlow
  caller: Caller
  method: RegistrationMethodId
  schema: Pick<IdentitySchema, 'id'>
  checked: CheckedRegistration
  transientPayload: JsonObject | undefined
  /** for traits that a hook has changed. @throws FormRefused */
  checkTraits(traits: Json): unknown
}

/**
 * Registers an identity that a method has checked. Web hooks that may refuse or change are called before anything is stored, the
 * others after: by then the registration is done, and the answer says so whatever they answer.
 * @throws FormRefused when the identifier is taken or a hook refuses, 401 when a hook disables the identity, 502, 504
 */
export async function finishRegistration(d: CompleteRegistrationDeps, c: Completion): Promise<Registered> {
  const { flow, checked } = c
  const configured = hooksAfterRegistration(d.config(), c.method)
  const returnTo = returnToOf(d, c)
  const { traits, credentials, verified = [] } = checked
  const verifiable = verified.map((address) => ({ ...address, verified: true, status: 'completed' }))
  const metadata = checked.metadata && {
    metadata_public: checked.metadata.public,
    metadata_admin: checked.metadata.admin,
  }
  const id = uuid(d.random)
  const asked: Registration = { id, schemaId: c.schema.id, traits, credentials, ...metadata, verifiable }
  const change = await d.hooks.run(webHooks(configured).filter(decides), () => ({
    ...hookContext(c),
    identity: { ...d.identityAnswer(d.identities.prepare(asked)), id: NO_UUID },
    newIdentityId: id,
  }))
  if (change?.traits && change.schema_id === undefined) c.checkTraits(change.traits)
  const withSession = configured.some(({ hook }) => hook === 'session') && change?.state !== 'inactive'
  const { begun, ...done } = await register(d, c, change ? changedBy(asked, change) : asked, withSession)
  const others = webHooks(configured).filter((hook) => !decides(hook))
  await d.hooks.tell(others, () => ({ ...hookContext(c), identity: d.identityAnswer(done.identity) }))
  if (done.identity.state !== 'active') throw identityDisabled(done.identity.id)
  const shows =
    configured.some(({ hook }) => hook === 'show_verification_ui') ||
    d.config().feature_flags.legacy_continue_with_verification_ui
  return { kind: 'registered', flow, returnTo, method: c.method, ...done, verifications: shows ? begun : [] }
}

/** Identity and session are created together or not at all. @throws FormRefused when the identifier is taken */
async function register(d: CompleteRegistrationDeps, c: Completion, input: Registration, withSession: boolean) {
  const { caller, checked } = c
  const { authentication, upstream } = checked
  try {
    return await d.db.tx(async (tx) => {
      const made = await d.identities.register(input, tx)
      await checked.write?.(tx, made)
      const start = { authentication, upstream, device: caller.device }
      const draft = withSession ? d.sessions.draft({ ...start, identity: made }) : undefined
      const { begun, identity } = await verify(d, c, made, draft, tx)
      const issued = draft && (await d.sessions.issue({ ...start, id: draft.id, identity }, tx))
      return { identity, begun, issued }
    })
  } catch (error) {
    if (error instanceof Conflict || (error instanceof HttpError && error.status === 409)) throw refused(messages.taken)
    throw error
  }
}

/** Writes to addresses that are not verified. */
async function verify(
  d: CompleteRegistrationDeps,
  { flow, caller }: Completion,
  identity: Identity,
  session: Session | undefined,
  tx: Queryable,
) {
  const csrfToken = currentCsrfToken(flow, caller)
  const request = { type: flow.type, requestUrl: flow.request_url, csrfToken, facts: caller.facts }
  const all = d.config().feature_flags.legacy_continue_with_verification_ui
  const needs = ({ verified }: { verified: boolean }) => !verified
  const begun = await verifyUnasked(d.verification, { identity, request, session, needs, all }, tx)
  return { begun, identity: begun.length > 0 ? await d.identities.get(identity.id, tx) : identity }
}

function changedBy(asked: Registration, change: IdentityChange): Registration {
  const { schema_id, verifiable_addresses, ...more } = change
  return {
    ...asked,
    ...more,
    ...(schema_id === undefined ? {} : { schemaId: schema_id }),
    ...(verifiable_addresses === undefined ? {} : { verifiable: verifiable_addresses }),
  }
}

const hookContext = ({ flow, caller, transientPayload }: Completion): HookContext => ({
  flow: registrationAnswer(flow, { transientPayload }),
  request: caller.facts(),
})

/** The settings for registrations by one method. */
function afterMethod(config: Config, method: RegistrationMethodId) {
  return method === 'profile' ? undefined : config.selfservice.flows.registration.after[method]
}

function hooksAfterRegistration(config: Config, method: RegistrationMethodId): readonly ConfiguredHook[] {
  return hooksOf<ConfiguredHook>(afterMethod(config, method)?.hooks, config.selfservice.flows.registration.after.hooks)
}

function returnToOf(d: CompleteRegistrationDeps, { flow, method }: Completion): string {
  const { after } = d.config().selfservice.flows.registration
  const own = afterMethod(d.config(), method)?.default_browser_return_url
  return d.urls.returnTo(flow.request_url, own, after.default_browser_return_url)
}
