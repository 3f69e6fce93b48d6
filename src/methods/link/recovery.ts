import type { Config } from '../../config/schema/schema.ts'
import { type OwnerMailDeps, sendToOwner } from '../../courier/owner-mail.ts'
import { fieldText } from '../../flows/form.ts'
import { messages } from '../../flows/messages.ts'
import { type NextScreen, ProofUsed, type StartAgain } from '../../flows/proof/proof.ts'
import type { HandedOut, Recovered, RecoveryMethod, RecoveryRequest } from '../../flows/recovery/method.ts'
import type { RecoveryFlow } from '../../flows/recovery/types.ts'
import { refused } from '../../flows/refused.ts'
import { asciiAddress } from '../../identities/domains.ts'
import { trimSpace } from '../../identities/normalise.ts'
import { FORMATS } from '../../identities/schema/formats.ts'
import type { IdentityService } from '../../identities/service.ts'
import { type Clock, formatTime, parseTime, type Timestamp } from '../../kernel/base/clock.ts'
import { uuid } from '../../kernel/base/uuid.ts'
import { keyedHash } from '../../kernel/crypto/one-time.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import { isOfLink, linkNodes } from './form.ts'
import { type LinkRow, type LinkStore, TOKEN_TYPE } from './store.ts'
import { isTokenText, linkLifespanMs, minutesOf, newLinkToken } from './token.ts'

export interface LinkRecoveryDeps extends OwnerMailDeps {
  config(): Config
  clock: Clock
  random: Random
  /** the first one hashes, all of them are compared */
  secrets(): readonly string[]
  links: LinkStore
  identities: Pick<IdentityService, 'findByRecoveryAddress' | 'verifyAddress'>
  /** the address of a link */
  linkTo(query: { flow: string; token: string }): string
}

/** Recovery by a link that is sent to an address of the identity. Each message has its own; earlier ones stay valid. */
export function linkRecovery(d: LinkRecoveryDeps): RecoveryMethod {
  return {
    id: 'link',
    start: (csrfToken) => ({ nodes: linkNodes(csrfToken), state: 'choose_method' }),
    reads: (form, flow) => (isOfLink(flow) && fieldText(form, 'method') === 'link' ? 'ask' : undefined),
    ask: (request) => ask(d, request),
    prove: () => Promise.reject(refused(messages.noRecoveryMethod)),
    handOut: (flow, identityId, expiresAt) => handOut(d, flow, identityId, expiresAt),
    follow: (flow, token) => follow(d, flow, token),
  }
}

async function ask(d: LinkRecoveryDeps, request: RecoveryRequest): Promise<NextScreen> {
  const { flow, form, csrfToken, transientPayload, caller } = request
  const email = asciiAddress(trimSpace(fieldText(form, 'email')))
  if (email === '') throw refused(messages.missing('email'), 'email')
  if (!FORMATS.get('email')!(email)) throw refused(messages.wrongEmail(email), 'email')
  const owner = await d.identities.findByRecoveryAddress('email', email)
  const token = newLinkToken(d.random)
  const lifespanMs = linkLifespanMs(d.config())
  return {
    kind: 'screen',
    state: 'sent_email',
    nodes: linkNodes(csrfToken, email),
    messages: [messages.recoveryLinkSent],
    async write(tx) {
      const now = d.clock.now()
      const row = {
        id: uuid(d.random),
        hash: keyedHash(token, d.secrets()[0]!),
        flowId: flow.id,
        now: formatTime(now),
        addressId: owner?.address.id,
        type: TOKEN_TYPE.selfService,
        expiresAt: formatTime(now + Math.trunc(lifespanMs * 1000)),
        // For an unknown address no row is inserted, and it takes as long.
        identityId: owner?.identity.id ?? uuid(d.random),
      }
      await d.links.insert(row, tx)
      await sendToOwner(d, tx, {
        kind: 'recovery',
        owner,
        to: { channel: 'email', value: owner?.address.value ?? email },
        tellUnknown: d.config().selfservice.flows.recovery.notify_unknown_recipients,
        request: { request_url: flow.request_url, transient_payload: transientPayload ?? {} },
        network: caller.facts().network,
        secret: {
          recovery_url: d.linkTo({ flow: flow.id, token }),
          expires_in_minutes: minutesOf(d.config(), 'recovery'),
        },
      })
    },
  }
}

function handOut(d: LinkRecoveryDeps, flow: RecoveryFlow, identityId: string, expiresAt: Timestamp): HandedOut {
  const token = newLinkToken(d.random)
  const row = {
    id: uuid(d.random),
    hash: keyedHash(token, d.secrets()[0]!),
    addressId: undefined,
    type: TOKEN_TYPE.admin,
    flowId: flow.id,
    identityId,
    expiresAt,
    now: formatTime(d.clock.now()),
  }
  return { flow, link: d.linkTo({ flow: flow.id, token }), write: (tx) => d.links.insert(row, tx) }
}

async function follow(d: LinkRecoveryDeps, flow: RecoveryFlow, token: string): Promise<Recovered | StartAgain> {
  const hashes = isTokenText(token) ? d.secrets().map((secret) => keyedHash(token, secret)) : []
  const row = hashes.length > 0 ? await d.links.find(flow.id, hashes) : undefined
  if (!row || row.used) return { kind: 'startAgain', message: messages.wrongRecoveryToken }
  const since = d.clock.now() - parseTime(row.expires_at)
  if (since > 0) {
    await d.links.use(row.id, formatTime(d.clock.now()))
    return { kind: 'startAgain', message: messages.expired('recovery', { at: row.expires_at, since }) }
  }
  return recovered(d, row)
}

function recovered(d: LinkRecoveryDeps, { id, identity_id, via, value }: LinkRow): Recovered {
  return {
    kind: 'recovered',
    identityId: identity_id,
    method: 'link_recovery',
    address: via !== null && value !== null ? { via, value } : undefined,
    async use(tx) {
      if (!(await d.links.use(id, formatTime(d.clock.now()), tx))) throw new ProofUsed()
      if (via !== null && value !== null) await d.identities.verifyAddress(identity_id, { via, value }, tx)
    },
  }
}
