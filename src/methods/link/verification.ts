import type { Config } from '../../config/schema/schema.ts'
import { type OwnerMailDeps, sendToOwner } from '../../courier/owner-mail.ts'
import { fieldText } from '../../flows/form.ts'
import { messages } from '../../flows/messages.ts'
import { type NextScreen, ProofUsed } from '../../flows/proof/proof.ts'
import { refused } from '../../flows/refused.ts'
import type { Followed, Recipient, VerificationMethod, VerificationRequest } from '../../flows/verification/method.ts'
import type { VerificationFlow } from '../../flows/verification/types.ts'
import { asciiAddress } from '../../identities/domains.ts'
import { trimSpace } from '../../identities/normalise.ts'
import type { IdentityService } from '../../identities/service.ts'
import { type Clock, formatTime, parseTime } from '../../kernel/base/clock.ts'
import { uuid } from '../../kernel/base/uuid.ts'
import { keyedHash } from '../../kernel/crypto/one-time.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import { isOfLink, linkNodes } from './form.ts'
import type { VerificationLinkStore } from './store.ts'
import { isTokenText, linkLifespanMs, minutesOf, newLinkToken } from './token.ts'

export interface LinkVerificationDeps extends OwnerMailDeps {
  config(): Config
  clock: Clock
  random: Random
  /** the first one hashes, all of them are compared */
  secrets(): readonly string[]
  links: VerificationLinkStore
  identities: Pick<IdentityService, 'findByVerifiableAddress' | 'verifyAddress' | 'noteAddressSent'>
  /** the address of a link */
  linkTo(query: { flow: string; token: string }): string
}

/** Verification by a link that is sent to the address. Each message has its own; earlier ones stay valid. */
export function linkVerification(d: LinkVerificationDeps): VerificationMethod {
  return {
    id: 'link',
    start: (csrfToken) => linkNodes(csrfToken),
    reads(form, flow) {
      const named = fieldText(form, 'method') === 'link' && d.config().selfservice.methods.link.enabled
      return named && isOfLink(flow) ? 'ask' : undefined
    },
    ask: (request) => ask(d, request),
    prove: () => Promise.reject(refused(messages.noVerificationMethod)),
    follow: (flow, { token }) => follow(d, flow, token),
    send: (flow, to, tx) => send(d, flow, to, tx),
    sentScreen: (_flow, csrfToken, { value }) => sentScreen(csrfToken, value),
  }
}

const sentScreen = (csrfToken: string, email: string): NextScreen => ({
  kind: 'screen',
  state: 'sent_email',
  nodes: linkNodes(csrfToken, email),
  messages: [messages.verificationLinkSent],
})

async function ask(d: LinkVerificationDeps, request: VerificationRequest): Promise<NextScreen> {
  const { flow, form, csrfToken, transientPayload, network } = request
  const email = asciiAddress(trimSpace(fieldText(form, 'email')))
  if (email === '') throw refused(messages.missing('email'), 'email')
  const owner = await d.identities.findByVerifiableAddress('email', email)
  const write = (tx: Queryable) => send(d, flow, { typed: email, owner, transientPayload, network }, tx)
  return { ...sentScreen(csrfToken, email), write }
}

async function send(
  d: LinkVerificationDeps,
  flow: VerificationFlow,
  { typed, owner, transientPayload, network }: Recipient,
  tx: Queryable,
): Promise<string | undefined> {
  const token = newLinkToken(d.random)
  const lifespanMs = linkLifespanMs(d.config())
  const now = d.clock.now()
  const row = {
    id: uuid(d.random),
    hash: keyedHash(token, d.secrets()[0]!),
    flowId: flow.id,
    now: formatTime(now),
    expiresAt: formatTime(now + Math.trunc(lifespanMs * 1000)),
    // For an unknown address no row is inserted, and it takes as long.
    addressId: owner?.address.id ?? uuid(d.random),
  }
  await d.links.insert(row, tx)
  const messageId = await sendToOwner(d, tx, {
    kind: 'verification',
    owner,
    to: { channel: 'email', value: owner?.address.value ?? typed },
    tellUnknown: d.config().selfservice.flows.verification.notify_unknown_recipients,
    request: { request_url: flow.request_url, transient_payload: transientPayload ?? {} },
    network,
    secret: {
      verification_url: d.linkTo({ flow: flow.id, token }),
      expires_in_minutes: minutesOf(d.config(), 'verification'),
    },
  })
  await d.identities.noteAddressSent(row.addressId, tx)
  return messageId
}

async function follow(d: LinkVerificationDeps, flow: VerificationFlow, token: string): Promise<Followed | undefined> {
  if (token === '' || !d.config().selfservice.methods.link.enabled) return undefined
  const hashes = isTokenText(token) ? d.secrets().map((secret) => keyedHash(token, secret)) : []
  const row = hashes.length > 0 ? await d.links.find(flow.id, hashes) : undefined
  if (!row || row.used || row.via === null || row.value === null) {
    return { kind: 'startAgain', message: messages.wrongVerificationToken }
  }
  const since = d.clock.now() - parseTime(row.expires_at)
  if (since > 0) {
    await d.links.use(row.id, formatTime(d.clock.now()))
    return { kind: 'expired', expired: { at: row.expires_at, since } }
  }
  const { id, identity_id: identityId, via, value } = row
  return {
    kind: 'verified',
    identityId,
    address: { via, value },
    async use(tx) {
      if (!(await d.links.use(id, formatTime(d.clock.now()), tx))) throw new ProofUsed()
      await d.identities.verifyAddress(identityId, { via, value }, tx)
    },
  }
}
