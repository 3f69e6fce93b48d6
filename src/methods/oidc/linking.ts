import type { Config } from '../../config/schema/schema.ts'
import { firstFactorTypes } from '../../credentials/first-factors.ts'
import type { ShownAgain } from '../../flows/attempt.ts'
import type { LoginFlows } from '../../flows/login/flow.ts'
import type { LoginFlow } from '../../flows/login/types.ts'
import { messages } from '../../flows/messages.ts'
import { isTaken, refused } from '../../flows/refused.ts'
import type { CheckedRegistration } from '../../flows/registration/method.ts'
import type { RegistrationFlow } from '../../flows/registration/types.ts'
import type { Change } from '../../flows/settings/method.ts'
import { isInput, type UiNode } from '../../flows/types.ts'
import type { FlowUrls } from '../../flows/urls.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { FullIdentity, IdentitySchema, JsonObject } from '../../identities/types.ts'
import type { Cipher } from '../../kernel/crypto/cipher.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import { HttpError } from '../../kernel/http/errors.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { UpstreamSignIn } from '../../sessions/store-upstream.ts'
import type { Session } from '../../sessions/types.ts'
import { linkedOf, newEntry, OIDC, withLinked } from './credential.ts'
import { accountExists, confirmWith } from './messages.ts'
import { authenticationOf, type KnownByProvider, type ProviderSignIn, proofOf } from './sign-in.ts'

export interface LinkingDeps {
  config(): Config
  cipher: Cipher
  providers: ProviderSignIn
  login: Pick<LoginFlows, 'continueFrom'>
  sessions: Pick<SessionService, 'raise'>
  identities: Pick<IdentityService, 'changeCredentials' | 'findByTraits'>
  urls: FlowUrls
}

export type Linking = ReturnType<typeof createLinking>

/** The member of a login flow for the account that waits to be linked. */
const MEMBER = 'registration_duplicate_credentials'

/** Links accounts at providers to existing identities. */
export function createLinking(d: LinkingDeps) {
  return {
    /** @param use consumes the continuity container, in the same transaction */
    link(session: Session, known: KnownByProvider, use: (tx: Queryable) => Promise<void>): Change {
      const entry = newEntry(d.cipher, known)
      return {
        kind: 'change',
        needsPrivilege: () => true,
        async write(tx) {
          await use(tx)
          const add = ({ credentials }: FullIdentity) => withLinked(credentials, [...linkedOf(credentials), entry])
          const changed = await d.identities.changeCredentials(session.identity_id, add, tx).catch((error: unknown) => {
            throw error instanceof HttpError && error.status === 409 ? refused(messages.taken) : error
          })
          await d.sessions.raise(session, proofOf(known), tx)
          return changed
        },
      }
    },

    /**
     * The address belongs to an identity already: its owner confirms the link by signing in with an existing credential.
     * @returns undefined for an error of another kind
     */
    async conflictOf(error: unknown, c: Conflict): Promise<ShownAgain<LoginFlow> | undefined> {
      if (!isTaken(error)) return undefined
      const { provider } = c.known
      const owner = await d.identities.findByTraits(c.schema.id, c.checked.traits)
      if (!owner) return undefined
      const entry = newEntry(d.cipher, c.known)
      const duplicate = {
        CredentialsType: OIDC,
        CredentialsConfig: { providers: [entry.entry] },
        DuplicateIdentifier: owner.identifier,
        Upstream: { ...c.known.upstream },
      }
      const { flows, methods } = d.config().selfservice
      const hints = flows.registration.login_hints
      const flow = await d.login.continueFrom(c.flow, (made) => ({
        ...made,
        active_method: OIDC,
        context: { ...made.context, [MEMBER]: duplicate },
        ui: {
          ...made.ui,
          nodes: confirmingNodes(d, made.ui.nodes, c, owner, hints),
          messages: [
            accountExists(
              provider,
              owner.identifier,
              d.urls.loginPage(),
              hints ? owner.identity : undefined,
              methods.code,
            ),
          ],
        },
      }))
      return { kind: 'form', flow, transientPayload: {}, pageQuery: { no_org_ui: 'true' } }
    },
  }
}

interface Conflict {
  flow: RegistrationFlow
  known: KnownByProvider
  checked: CheckedRegistration
  schema: IdentitySchema
}

/** The identity that has the address. */
export interface Owner {
  identity: FullIdentity
  identifier: string
}

function confirmingNodes(
  { providers, config }: Pick<LinkingDeps, 'providers' | 'config'>,
  nodes: readonly UiNode[],
  { known }: Conflict,
  { identity, identifier }: Owner,
  hints: boolean,
): UiNode[] {
  const has = new Set(firstFactorTypes(identity, config().selfservice.methods.code))
  const linked = new Set(linkedOf(identity.credentials).map(({ provider }) => provider))
  return nodes.flatMap((node): UiNode[] => {
    if (!isInput(node)) return [node]
    const { name, value } = node.attributes
    if (name === 'provider') {
      const other = providers.offered().find(({ id }) => id === value)
      const shown = other && other.id !== known.provider.id && (!hints || linked.has(other.id))
      return shown ? [{ ...node, meta: { label: confirmWith(other) } }] : []
    }
    if (name === 'identifier')
      return [{ ...node, attributes: { ...node.attributes, type: 'hidden', value: identifier } }]
    return hints && node.group !== 'default' && !has.has(node.group) ? [] : [node]
  })
}

/** Links the account that waits in a login flow, to the identity it belongs to. */
export function createWaiting({ identities }: Pick<LinkingDeps, 'identities'>) {
  return {
    carried({ context }: Pick<LoginFlow, 'context'>): JsonObject | undefined {
      const waiting = context[MEMBER]
      return waiting === undefined ? undefined : { [MEMBER]: waiting }
    },

    /**
     * @returns what the session proves as well; undefined if none waits
     * @throws FormRefused when another identity has signed in, or has the account
     */
    async link({ context }: Pick<LoginFlow, 'context'>, identityId: string, tx: Queryable) {
      const waiting = context[MEMBER] as JsonObject | undefined
      const [account] =
        waiting === undefined ? [] : linkedOf([{ type: OIDC, config: waiting.CredentialsConfig as JsonObject }])
      if (!waiting || !account) return undefined
      const add = (now: FullIdentity) => {
        if (!isKnownBy(now, String(waiting.DuplicateIdentifier))) throw refused(messages.linkedAccountDiffers)
        return withLinked(now.credentials, [...linkedOf(now.credentials), account])
      }
      await identities.changeCredentials(identityId, add, tx).catch((error: unknown) => {
        throw error instanceof HttpError && error.status === 409 ? refused(messages.taken) : error
      })
      const { organization } = account.entry
      return {
        authentication: authenticationOf(account.provider, typeof organization === 'string' ? organization : undefined),
        upstream: waiting.Upstream as unknown as UpstreamSignIn | undefined,
      }
    },
  }
}

const isKnownBy = ({ credentials, recovery_addresses, verifiable_addresses }: FullIdentity, identifier: string) =>
  credentials.some(({ identifiers }) => identifiers.includes(identifier)) ||
  [...recovery_addresses, ...verifiable_addresses].some(({ value }) => value === identifier)
