import type { Config } from '../../config/schema/schema.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { Identity, IdentitySchema } from '../../identities/types.ts'
import { Conflict, type Db } from '../../kernel/db/client.ts'
import { HttpError } from '../../kernel/http/errors.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Session } from '../../sessions/types.ts'
import { messages } from '../messages.ts'
import { refused } from '../refused.ts'
import type { Caller } from '../types.ts'
import type { Newcomer, RegistrationMethodId } from './method.ts'
import type { RegistrationFlow } from './types.ts'

type After = Config['selfservice']['flows']['registration']['after']

export interface CompleteRegistrationDeps {
  config(): Config
  db: Pick<Db, 'tx'>
  sessions: Pick<SessionService, 'issue'>
  identities: Pick<IdentityService, 'register'>
}

export interface Registered {
  kind: 'registered'
  flow: RegistrationFlow
  identity: Identity
  /** where the hook `session` is configured: signed in at once */
  issued: { session: Session; token: string } | undefined
  returnTo: string
}

export interface Completion {
  flow: RegistrationFlow
  caller: Caller
  method: RegistrationMethodId
  schema: Pick<IdentitySchema, 'id'>
  newcomer: Newcomer
}

/** What is configured for registrations by a method alone. */
export function afterMethod(after: After, method: RegistrationMethodId) {
  return method === 'profile' ? undefined : after[method]
}

/** Identity and session come to be together or not at all. @throws FormRefused when the identifier is taken */
export async function register(d: CompleteRegistrationDeps, { caller, method, schema, newcomer }: Completion) {
  const { traits, credentials, verified, authentication } = newcomer
  const hooks = afterMethod(d.config().selfservice.flows.registration.after, method)?.hooks ?? []
  const withSession = hooks.some(({ hook }) => hook === 'session')
  try {
    return await d.db.tx(async (tx) => {
      const identity = await d.identities.register({ schemaId: schema.id, traits, credentials, verified }, tx)
      await newcomer.write?.(tx, identity)
      const input = { identity, authentication, device: caller.device }
      return { identity, issued: withSession ? await d.sessions.issue(input, tx) : undefined }
    })
  } catch (error) {
    if (error instanceof Conflict || (error instanceof HttpError && error.status === 409)) throw refused(messages.taken)
    throw error
  }
}
