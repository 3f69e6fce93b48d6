import type { Config } from '../../config/schema/schema.ts'
import { type OwnerMailDeps, sendToOwner } from '../../courier/owner-mail.ts'
import type { Channel } from '../../courier/types.ts'
import { fieldText } from '../../flows/form.ts'
import { messages } from '../../flows/messages.ts'
import { cleared } from '../../flows/nodes.ts'
import { type NextScreen, ProofUsed, type StartAgain } from '../../flows/proof/proof.ts'
import type { HandedOut, Recovered, RecoveryMethod, RecoveryRequest } from '../../flows/recovery/method.ts'
import type { RecoveryFlow } from '../../flows/recovery/types.ts'
import { refused } from '../../flows/refused.ts'
import type { UiMessage } from '../../flows/types.ts'
import { asciiAddress } from '../../identities/domains.ts'
import { trimSpace } from '../../identities/normalise.ts'
import { FORMATS } from '../../identities/schema/formats.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { AddressOwner, JsonObject } from '../../identities/types.ts'
import { type Clock, formatTime, parseTime, type Timestamp } from '../../kernel/base/clock.ts'
import { parseUrl } from '../../kernel/base/url.ts'
import { uuid } from '../../kernel/base/uuid.ts'
import { isHashOf, keyedHash, newCode } from '../../kernel/crypto/one-time.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import { asksForChoice, chooseAddress, firstScreen, isOfChoice } from './recovery-choice.ts'
import { askNodes, handedOutNodes, sentNodes } from './recovery-form.ts'
import { codeSettings, minutesOf } from './settings.ts'
import { submittedCode } from './spelling.ts'
import { CODE_TYPE, type RecoveryCodeRow, type RecoveryCodeStore } from './store-recovery.ts'

export interface CodeRecoveryDeps extends OwnerMailDeps {
  config(): Config
  clock: Clock
  random: Random
  /** the first one hashes, all of them are compared */
  secrets(): readonly string[]
  codes: RecoveryCodeStore
  identities: Pick<IdentityService, 'findByRecoveryAddress' | 'verifyAddress'>
  /** the page that shows the flow */
  pageOf(flowId: string): string
  /** Counts a submitted code, on all nodes. @returns how many there were */
  countSubmission(flowId: string): Promise<number>
}

/** Recovery by a code that is sent to an address of the identity. */
export function codeRecovery(d: CodeRecoveryDeps): RecoveryMethod {
  return {
    id: 'code',
    start: (csrfToken) =>
      d.config().feature_flags.choose_recovery_address
        ? firstScreen(csrfToken)
        : { nodes: askNodes(csrfToken), state: 'choose_method' },
    reads(form, flow) {
      const named = fieldText(form, 'method') === 'code'
      if (!isOfCode(flow)) return undefined
      if (isOfChoice(flow)) return asksForChoice(form, flow) ? 'ask' : 'prove'
      if (flow.state !== 'choose_method' && fieldText(form, 'email') === '') return 'prove'
      return named ? 'ask' : undefined
    },
    owns: isOfCode,
    ask: (request) =>
      isOfChoice(request.flow)
        ? chooseAddress(d, request, (to, owner) => (tx) => send(d, request, to, owner, tx))
        : ask(d, request),
    prove: (request) => prove(d, request),
    handOut: (flow, identityId, expiresAt) => handOut(d, flow, identityId, expiresAt),
  }
}

const isOfCode = ({ ui }: RecoveryFlow) => ui.nodes.some(({ group }) => group === 'code')

async function ask(d: CodeRecoveryDeps, request: RecoveryRequest): Promise<NextScreen> {
  const email = asciiAddress(trimSpace(fieldText(request.form, 'email')))
  if (email === '') throw refused(messages.missing('email'), 'email')
  if (!FORMATS.get('email')!(email)) throw refused(messages.wrongEmail(email), 'email')
  const found = await d.identities.findByRecoveryAddress('email', email)
  return {
    kind: 'screen',
    nodes: sentNodes(request.csrfToken, email),
    messages: [messages.recoveryCodeSent],
    state: 'sent_email',
    write: (tx) => send(d, request, { channel: 'email', value: email }, found, tx),
  }
}

async function send(
  d: CodeRecoveryDeps,
  { flow, transientPayload, caller }: RecoveryRequest,
  to: { channel: Channel; value: string },
  found: AddressOwner | undefined,
  tx: Queryable,
): Promise<void> {
  const recipient = found?.address.value ?? to.value
  const { code, again } = await d.courier.codeFor({ channel: to.channel, recipient }, 'recovery', flow, tx)
  const now = d.clock.now()
  const { lifespanMs } = codeSettings(d.config())
  await d.codes.replace(
    {
      id: uuid(d.random),
      hash: keyedHash(code, d.secrets()[0]!),
      addressId: found?.address.id,
      type: CODE_TYPE.selfService,
      expiresAt: formatTime(now + Math.trunc(lifespanMs * 1000)),
      now: formatTime(now),
      flowId: flow.id,
      // For an unknown address no row is inserted, and it takes as long.
      identityId: found?.identity.id ?? uuid(d.random),
    },
    tx,
  )
  const { headers, network } = caller.facts()
  await sendToOwner(d, tx, {
    kind: 'recovery_code',
    owner: found,
    again,
    to: { channel: to.channel, value: recipient },
    tellUnknown: d.config().selfservice.flows.recovery.notify_unknown_recipients,
    request: { request_url: flow.request_url, transient_payload: transientPayload ?? {} },
    requestHeaders: headers,
    network,
    secret: { ...secretOf(to.channel, code, flow), expires_in_minutes: minutesOf(d.config(), 'recovery') },
  })
}

/** The names in the rows of Kratos. */
const secretOf = (channel: Channel, code: string, { request_url }: RecoveryFlow): JsonObject =>
  channel === 'email'
    ? { recovery_code: code }
    : { verification_code: code, request_url_domain: parseUrl(request_url)?.hostname ?? '' }

function handOut(d: CodeRecoveryDeps, begun: RecoveryFlow, identityId: string, expiresAt: Timestamp): HandedOut {
  const code = newCode(d.random)
  const ui = { ...begun.ui, nodes: handedOutNodes() }
  const flow: RecoveryFlow = { ...begun, ui, state: 'sent_email', skip_csrf_check: true, csrf_token: '' }
  const row = {
    id: uuid(d.random),
    hash: keyedHash(code, d.secrets()[0]!),
    addressId: undefined,
    type: CODE_TYPE.admin,
  }
  const of = { flowId: flow.id, identityId, expiresAt, now: formatTime(d.clock.now()) }
  return { flow, code, link: d.pageOf(flow.id), write: (tx) => d.codes.replace({ ...row, ...of }, tx) }
}

async function prove(
  d: CodeRecoveryDeps,
  { flow, form, csrfToken }: RecoveryRequest,
): Promise<NextScreen | Recovered | StartAgain> {
  const code = submittedCode(form)
  if (code === undefined) return wrong(flow, csrfToken)
  if ((await d.countSubmission(flow.id)) > codeSettings(d.config()).maxSubmissions)
    return again(messages.tooManyCodes())
  const secrets = d.secrets()
  const row = (await d.codes.ofFlow(flow.id)).find(({ hash }) => isHashOf(code, hash, secrets))
  const now = d.clock.now()
  if (!row || parseTime(row.expires_at) <= now) return wrong(flow, csrfToken)
  if (row.used_at !== null) return again(messages.codeUsed())
  return recovered(d, row)
}

/** Any number of times: only a text that may be a code counts as a try. */
const wrong = ({ ui, state }: RecoveryFlow, csrfToken: string): NextScreen => ({
  kind: 'screen',
  nodes: cleared(ui, new Map([['csrf_token', csrfToken]])).nodes,
  messages: [messages.wrongRecoveryCode],
  state,
})

const again = (message: UiMessage): StartAgain => ({ kind: 'startAgain', message })

function recovered(d: CodeRecoveryDeps, { id, identity_id, via, value }: RecoveryCodeRow): Recovered {
  return {
    kind: 'recovered',
    identityId: identity_id,
    method: 'code_recovery',
    address: via !== null && value !== null ? { via, value } : undefined,
    async use(tx) {
      if (!(await d.codes.use(id, formatTime(d.clock.now()), tx))) throw new ProofUsed()
      if (via !== null && value !== null) await d.identities.verifyAddress(identity_id, { via, value }, tx)
    },
  }
}
