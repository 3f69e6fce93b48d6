import type { Config } from '../../config/schema/schema.ts'
import { passwordHashOf } from '../../credentials/password.ts'
import type { IdentityService } from '../../identities/service.ts'
import { assertSize } from '../../identities/sizes.ts'
import type { DerivedTraits, Identity, IdentitySchema, Json } from '../../identities/types.ts'
import type { Hasher } from '../../kernel/crypto/passwords/passwords.ts'
import { Conflict, type Queryable } from '../../kernel/db/client.ts'
import { badRequest, HttpError } from '../../kernel/http/errors.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Session } from '../../sessions/types.ts'
import { fieldText } from '../form.ts'
import { messages } from '../messages.ts'
import { hashPassword, judgePassword, type NewPasswordDeps } from '../new-password.ts'
import { FormRefused, refused } from '../refused.ts'
import type { SubmittedForm } from '../types.ts'

export interface ChangeDeps extends NewPasswordDeps {
  config(): Config
  hasher: Pick<Hasher, 'hash' | 'verify'>
  sessions: Pick<SessionService, 'revokeAllOf'>
  identities: Pick<IdentityService, 'get' | 'setPassword' | 'updateTraits'>
}

/** A change that has passed every check of what was sent. It is made by calling `write` in a transaction. */
export interface CheckedChange {
  /** whether the session must be fresh, for what one signs in with. @param identity as it is at the moment */
  needsPrivilege(identity: Identity): boolean
  write(tx: Queryable): Promise<Identity>
}

/** @throws FormRefused with what the policy says; 503 */
export async function passwordChange(
  d: ChangeDeps,
  session: Session,
  schema: IdentitySchema,
  form: SubmittedForm,
): Promise<CheckedChange> {
  const password = fieldText(form, 'password')
  const { id, traits, credentials } = await d.identities.get(session.identity_id)
  await judgePassword(d, password, identifiersOf(derive(schema, traits)))
  const old = passwordHashOf(credentials)
  const share = { identifier: id, network: '' }
  if (old !== undefined && (await d.hasher.verify(password, old, share))) {
    throw refused(messages.samePassword, 'password')
  }
  const hash = await hashPassword(d, password, share)
  return {
    needsPrivilege: () => true,
    async write(tx) {
      const identity = await d.identities.setPassword(id, hash, tx)
      await endSessions(d, session, tx)
      return identity
    },
  }
}

/** The sessions that end with the old password, by the hook of Kratos or by our own key. */
async function endSessions(d: ChangeDeps, session: Session, tx: Queryable): Promise<void> {
  const { selfservice, lethe } = d.config()
  const hooked = selfservice.flows.settings.after.password.hooks.some(({ hook }) => hook === 'revoke_active_sessions')
  const ending = lethe.sessions.end_on_password_change
  if (ending === 'none' && !hooked) return
  const except = ending === 'all' ? {} : { except: session.id }
  await d.sessions.revokeAllOf(session.identity_id, 'credentials_changed', { ...except, tx })
}

/** @throws FormRefused with what the schema says */
export function traitsChange(d: ChangeDeps, was: Identity, schema: IdentitySchema, traits: Json): CheckedChange {
  assertSize('traits', d.config().lethe.limits.traits, traits, was.traits)
  const violations = schema.validate(traits)
  if (violations.length > 0) throw new FormRefused(violations)
  const after = protectedPart(derive(schema, traits))
  return {
    needsPrivilege: (identity) => after !== protectedPart(derive(schema, identity.traits)),
    async write(tx) {
      try {
        return await d.identities.updateTraits(was.id, traits, tx)
      } catch (error) {
        const taken = error instanceof Conflict || (error instanceof HttpError && error.status === 409)
        throw taken ? refused(messages.taken) : error
      }
    },
  }
}

export const nothingSent = () => badRequest('Did not receive any value changes.')

function derive(schema: IdentitySchema, traits: Json): DerivedTraits {
  const derived = schema.derive(traits)
  if (derived.kind === 'failure') throw new FormRefused(derived.violations)
  return derived
}

const identifiersOf = (derived: DerivedTraits) => derived.identifiers.get('password') ?? []

/** What one signs in or gets back in with, in a form that can be compared. */
function protectedPart({ identifiers, verifiable, recovery }: DerivedTraits): string {
  return JSON.stringify([[...identifiers], verifiable, recovery])
}
