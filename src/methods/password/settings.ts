import { passwordHashOf } from '../../credentials/password.ts'
import { NO_PART } from '../../flows/engine/compose.ts'
import { fieldText } from '../../flows/form.ts'
import { messages } from '../../flows/messages.ts'
import { passwordNode, submitNode } from '../../flows/nodes.ts'
import { FormRefused, refused } from '../../flows/refused.ts'
import type { SettingsMethod } from '../../flows/settings/method.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { IdentitySchema, Json } from '../../identities/types.ts'
import type { Hasher } from '../../kernel/crypto/passwords/passwords.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Session } from '../../sessions/types.ts'
import { hashPassword, judgePassword, type NewPasswordDeps } from './new-password.ts'

export interface PasswordSettingsDeps extends NewPasswordDeps {
  hasher: Pick<Hasher, 'hash' | 'verify'>
  sessions: Pick<SessionService, 'revokeAllOf'>
  identities: Pick<IdentityService, 'setPassword'>
}

export function passwordSettings(d: PasswordSettingsDeps): SettingsMethod {
  const enabled = () => d.config().selfservice.methods.password.enabled
  return {
    id: 'password',
    async form() {
      if (!enabled()) return NO_PART
      return { nodes: [passwordNode('new-password'), submitNode('password', 'password', messages.save)] }
    },
    takes: (form) => fieldText(form, 'method') === 'password' && enabled(),
    async change({ form, session, schema, account, requirePrivilege }) {
      const password = fieldText(form, 'password')
      if (password === '') throw refused(messages.missing('password'), 'password')
      // It is not even checked for a session that may not change it.
      requirePrivilege()
      const { id, traits, credentials } = await account()
      await judgePassword(d, password, identifiersOf(schema, traits))
      const old = passwordHashOf(credentials)
      const share = { identifier: id, network: '' }
      if (old !== undefined && (await d.hasher.verify(password, old, share))) {
        throw refused(messages.samePassword, 'password')
      }
      const hash = await hashPassword(d, password, share)
      return {
        kind: 'change',
        needsPrivilege: () => true,
        async write(tx) {
          const identity = await d.identities.setPassword(id, hash, tx)
          await endSessions(d, session, tx)
          return identity
        },
      }
    },
    waiting: (form) => ({ password: fieldText(form, 'password') }),
  }
}

/** The sessions that end with the old password, beside those that the hook of Kratos ends. */
async function endSessions(d: PasswordSettingsDeps, session: Session, tx: Queryable): Promise<void> {
  const ending = d.config().lethe.sessions.end_on_password_change
  if (ending === 'none') return
  const except = ending === 'all' ? {} : { except: session.id }
  await d.sessions.revokeAllOf(session.identity_id, 'credentials_changed', { ...except, tx })
}

function identifiersOf(schema: IdentitySchema, traits: Json): readonly string[] {
  const derived = schema.derive(traits)
  if (derived.kind === 'failure') throw new FormRefused(derived.violations)
  return derived.identifiers.get('password') ?? []
}
