import type { Config } from '../../config/schema/schema.ts'
import { type OwnerMailDeps, sendToOwner } from '../../courier/owner-mail.ts'
import { fieldText, isUnreadable } from '../../flows/form.ts'
import { messages } from '../../flows/messages.ts'
import { cleared, csrfNode, inputNode, submitNode } from '../../flows/nodes.ts'
import { type NextScreen, ProofUsed } from '../../flows/proof/proof.ts'
import { refused } from '../../flows/refused.ts'
import type { UiNode } from '../../flows/types.ts'
import type {
  Followed,
  Recipient,
  VerificationMethod,
  VerificationRequest,
  Verified,
} from '../../flows/verification/method.ts'
import type { VerificationFlow } from '../../flows/verification/types.ts'
import { asciiAddress } from '../../identities/domains.ts'
import { trimSpace } from '../../identities/normalise.ts'
import type { IdentityService } from '../../identities/service.ts'
import { type Clock, formatTime, parseTime } from '../../kernel/base/clock.ts'
import { uuid } from '../../kernel/base/uuid.ts'
import { isHashOf, keyedHash } from '../../kernel/crypto/one-time.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import { codeSettings, minutesOf } from './settings.ts'
import { readCode, submittedCode } from './spelling.ts'
import type { VerificationCodeRow, VerificationCodeStore } from './store-verification.ts'

export interface CodeVerificationDeps extends OwnerMailDeps {
  config(): Config
  clock: Clock
  random: Random
  /** the first one hashes, all of them are compared */
  secrets(): readonly string[]
  codes: VerificationCodeStore
  identities: Pick<IdentityService, 'findByVerifiableAddress' | 'verifyAddress' | 'noteAddressSent'>
  submissions: {
    /** Counts a submitted code, on all nodes. @returns how many there were */
    countSubmission(flowId: string): Promise<number>
    uncountSubmission(flowId: string): Promise<void>
  }
  /** the link that fills in a code */
  linkTo(query: { flow: string; code: string }): string
}

const GROUP = 'code'

/** Verification by a code that is sent to the address. */
export function codeVerification(d: CodeVerificationDeps): VerificationMethod {
  return {
    id: 'code',
    // An app sends no token back, so its form begins without the input.
    start: (csrfToken, type) => [
      inputNode(GROUP, 'email', 'email', { required: true, label: messages.email }),
      submitNode(GROUP, 'code', messages.continue),
      ...(type === 'browser' ? [csrfNode(csrfToken)] : []),
    ],
    reads(form, flow) {
      if (!isOfCode(flow) || !codeSettings(d.config()).enabled) return undefined
      if (fieldText(form, 'code') !== '' || isUnreadable(form)) return 'prove'
      return fieldText(form, 'method') === 'code' ? 'ask' : undefined
    },
    ask: (request) => ask(d, request),
    prove: ({ flow, form, csrfToken }) => judge(d, flow, submittedCode(form), csrfToken),
    async follow(flow, { code, csrfToken }) {
      if (code === '' || !isOfCode(flow)) return undefined
      const found = await judge(d, flow, readCode(code), csrfToken)
      if (found.kind === 'screen') return { kind: 'startAgain', message: messages.wrongVerificationCode }
      if (found.kind !== 'verified') return found
      // It was no guess: the person has not submitted it yet.
      await d.submissions.uncountSubmission(flow.id)
      return { kind: 'screen', nodes: filledIn(flow, code), messages: flow.ui.messages ?? [], state: flow.state }
    },
    send: (flow, to, tx) => send(d, flow, to, tx),
    sentScreen: (flow, csrfToken, { via, value }) =>
      sentScreen(flow, csrfToken, via === 'sms' ? 'sms' : 'email', value),
  }
}

const isOfCode = ({ ui }: VerificationFlow) => ui.nodes.some(({ group }) => group === GROUP)

/** @param typed as it was typed: the button sends it again */
function sentScreen(flow: VerificationFlow, csrfToken: string, name: 'email' | 'sms', typed: string): NextScreen {
  const nodes: UiNode[] = [
    inputNode(GROUP, 'method', 'hidden', { value: 'code' }),
    inputNode(GROUP, 'code', 'text', { required: true, label: messages.verificationCode }),
    submitNode(GROUP, 'code', messages.continue),
    ...(flow.type === 'browser' ? [csrfNode(csrfToken)] : []),
    submitNode(GROUP, typed, messages.resendCode, name),
  ]
  return { kind: 'screen', nodes, messages: [messages.verificationCodeSent], state: 'sent_email' }
}

async function ask(d: CodeVerificationDeps, request: VerificationRequest): Promise<NextScreen> {
  const { flow, form, csrfToken, transientPayload, network } = request
  const phone = trimSpace(fieldText(form, 'sms'))
  if (phone !== '' && flow.state !== 'choose_method') {
    const owner = await d.identities.findByVerifiableAddress('sms', phone)
    const write = (tx: Queryable) => send(d, flow, { typed: phone, owner, transientPayload, network }, tx)
    return { ...sentScreen(flow, csrfToken, 'sms', phone), write }
  }
  const email = asciiAddress(trimSpace(fieldText(form, 'email')))
  if (email === '') throw refused(messages.missing('email'), 'email')
  const owner = await d.identities.findByVerifiableAddress('email', email)
  const write = (tx: Queryable) => send(d, flow, { typed: email, owner, transientPayload, network }, tx)
  return { ...sentScreen(flow, csrfToken, 'email', email), write }
}

async function send(
  d: CodeVerificationDeps,
  flow: VerificationFlow,
  { typed, owner, transientPayload, network }: Recipient,
  tx: Queryable,
): Promise<string | undefined> {
  const channel = owner?.address.via === 'sms' ? 'sms' : 'email'
  const recipient = owner?.address.value ?? typed
  const { code, again } = await d.courier.codeFor({ channel, recipient }, 'verification', flow, tx)
  const now = d.clock.now()
  const { lifespanMs } = codeSettings(d.config())
  await d.codes.replace(
    {
      id: uuid(d.random),
      hash: keyedHash(code, d.secrets()[0]!),
      // For an unknown address no row is inserted, and it takes as long.
      addressId: owner?.address.id ?? uuid(d.random),
      expiresAt: formatTime(now + Math.trunc(lifespanMs * 1000)),
      now: formatTime(now),
      flowId: flow.id,
    },
    tx,
  )
  const link = channel === 'email' ? { verification_url: d.linkTo({ flow: flow.id, code }) } : {}
  const messageId = await sendToOwner(d, tx, {
    kind: 'verification_code',
    owner,
    again,
    to: { channel, value: recipient },
    tellUnknown: d.config().selfservice.flows.verification.notify_unknown_recipients,
    request: { request_url: flow.request_url, transient_payload: transientPayload ?? {} },
    network,
    secret: { verification_code: code, ...link, expires_in_minutes: minutesOf(d.config(), 'verification') },
  })
  await d.identities.noteAddressSent(owner?.address.id ?? uuid(d.random), tx)
  return messageId
}

/** @param code undefined for a text that is no code, which does not count as a guess */
async function judge(
  d: CodeVerificationDeps,
  flow: VerificationFlow,
  code: string | undefined,
  csrfToken: string,
): Promise<Exclude<Followed, undefined>> {
  if (code === undefined) return wrong(flow, csrfToken)
  const { maxSubmissions } = codeSettings(d.config())
  if ((await d.submissions.countSubmission(flow.id)) > maxSubmissions) {
    return { kind: 'startAgain', message: messages.tooManyCodes() }
  }
  const secrets = d.secrets()
  const row = (await d.codes.ofFlow(flow.id)).find(({ hash }) => isHashOf(code, hash, secrets))
  if (!row) return wrong(flow, csrfToken)
  const since = d.clock.now() - parseTime(row.expires_at)
  if (since >= 0) return { kind: 'expired', expired: { at: row.expires_at, since } }
  if (row.used_at !== null) return { kind: 'startAgain', message: messages.codeUsed() }
  return verified(d, row)
}

const wrong = ({ ui, state }: VerificationFlow, csrfToken: string): NextScreen => ({
  kind: 'screen',
  nodes: cleared(ui, new Map([['csrf_token', csrfToken]])).nodes,
  messages: [messages.wrongVerificationCode],
  state,
})

function verified(d: CodeVerificationDeps, { id, identity_id, via, value }: VerificationCodeRow): Verified {
  return {
    kind: 'verified',
    identityId: identity_id,
    address: { via, value },
    async use(tx) {
      if (!(await d.codes.use(id, formatTime(d.clock.now()), tx))) throw new ProofUsed()
      await d.identities.verifyAddress(identity_id, { via, value }, tx)
    },
  }
}

const filledIn = ({ ui }: VerificationFlow, code: string): UiNode[] => cleared(ui, new Map([['code', code]])).nodes
