import type { Config } from '../../config/schema/schema.ts'
import type { Courier } from '../../courier/service.ts'
import { MOST_AT_ONCE } from '../../courier/types.ts'
import { NO_PART, type Write } from '../../flows/engine/compose.ts'
import type { GivenUp, NextForm } from '../../flows/engine/step.ts'
import { fieldText, transientPayload } from '../../flows/form.ts'
import type { Guesses } from '../../flows/login/guesses.ts'
import { messages } from '../../flows/messages.ts'
import { submitNode } from '../../flows/nodes.ts'
import { FormRefused, refused } from '../../flows/refused.ts'
import { isTwoStep } from '../../flows/registration/begin.ts'
import type { CheckedRegistration, RegistrationMethod, RegistrationRequest } from '../../flows/registration/method.ts'
import type { JsonObject } from '../../identities/types.ts'
import { type Clock, formatTime, parseTime } from '../../kernel/base/clock.ts'
import { uuid } from '../../kernel/base/uuid.ts'
import { isHashOf, keyedHash } from '../../kernel/crypto/one-time.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import { type CodeAddress, traitAddresses } from './addresses.ts'
import { GROUP } from './login/form.ts'
import { codeMessages } from './messages.ts'
import { refusedForm, sentForm, traitsDiffer } from './registration-form.ts'
import { codeSettings, minutesOf } from './settings.ts'
import { submittedCode } from './spelling.ts'
import type { RegistrationCodeRow, RegistrationCodeStore } from './store-registration.ts'
import type { SubmissionStore } from './store-submissions.ts'

export interface CodeRegistrationDeps {
  config(): Config
  clock: Clock
  random: Random
  /** the first one hashes, all of them compare */
  secrets(): readonly string[]
  courier: Courier
  guesses: Guesses
  registrationCodes: RegistrationCodeStore
  registrationSubmissions: SubmissionStore
}

/** Registration with a code that is sent to the addresses in the traits: one right code is enough. */
export function codeRegistration(d: CodeRegistrationDeps): RegistrationMethod {
  const enabled = () => codeSettings(d.config()).passwordless
  return {
    id: GROUP,
    async form({ screen }) {
      if (!enabled() || screen === 'profile') return NO_PART
      return { nodes: [submitNode(GROUP, GROUP, codeMessages.sendRegistrationCode)] }
    },
    takes: (form) => fieldText(form, 'method') === GROUP && enabled(),
    async register(request) {
      const { flow, form } = request
      if (fieldText(form, 'resend').toLowerCase() === GROUP || flow.state === 'choose_method') return ask(d, request)
      if (flow.state !== 'sent_email') return { kind: 'form', ...refusal(request, messages.noRegistrationMethod) }
      try {
        return await prove(d, request)
      } catch (error) {
        if (!(error instanceof FormRefused)) throw error
        return { kind: 'form', nodes: refusedForm(request), problems: error.problems }
      }
    },
  }
}

const refusal = (request: RegistrationRequest, message: typeof messages.taken) => ({
  nodes: refusedForm(request),
  problems: [{ message }],
})

/** The addresses that get a code. @throws FormRefused for invalid traits */
const recipientsOf = ({ checkTraits, traits }: RegistrationRequest) =>
  traitAddresses(checkTraits(traits)).slice(0, MOST_AT_ONCE)

/** A taken address is answered like any other: its owner reads the mail. */
function ask(d: CodeRegistrationDeps, request: RegistrationRequest): NextForm {
  const addresses = recipientsOf(request)
  if (addresses.length === 0) throw refused(messages.noIdentifier)
  return {
    kind: 'form',
    nodes: sentForm(request, isTwoStep(d.config())),
    messages: [codeMessages.registrationCodeSent],
    state: 'sent_email',
    active: GROUP,
    write: sendCodes(d, request, addresses),
  }
}

/** A separate code for each address: the code shows which address is proved. */
function sendCodes(
  d: CodeRegistrationDeps,
  { flow, form, caller, traits }: RegistrationRequest,
  addresses: readonly CodeAddress[],
): Write {
  const payload = transientPayload(form) ?? {}
  const { headers, network } = caller.facts()
  return async (tx) => {
    await d.registrationCodes.forget(flow.id, tx)
    for (const address of addresses) {
      const to = { channel: address.via, recipient: address.value, requestHeaders: headers, network }
      const { code, again } = await d.courier.codeFor(to, 'registration', flow, tx)
      const now = d.clock.now()
      const { lifespanMs } = codeSettings(d.config())
      const row = { id: uuid(d.random), hash: keyedHash(code, d.secrets()[0]!), address, flowId: flow.id }
      const expiresAt = formatTime(now + Math.trunc(lifespanMs * 1000))
      await d.registrationCodes.insert({ ...row, expiresAt, now: formatTime(now) }, tx)
      const data: JsonObject = {
        to: address.value,
        registration_code: code,
        // The template of the channel calls them so.
        [address.via === 'sms' ? 'identity' : 'traits']: traits,
        request_url: flow.request_url,
        transient_payload: payload,
        expires_in_minutes: minutesOf(d.config(), 'registration'),
      }
      await d.courier.enqueueIf(true, { type: 'registration_code_valid', ...to, data }, tx, again)
    }
  }
}

/** @throws FormRefused, 429 */
async function prove(d: CodeRegistrationDeps, request: RegistrationRequest): Promise<CheckedRegistration | GivenUp> {
  const { flow, form } = request
  if (fieldText(form, 'code') === '') throw refused(messages.missing('code'), 'code')
  const addresses = recipientsOf(request)
  if (addresses.length === 0) throw refused(messages.noIdentifier)
  if (traitsDiffer(request)) throw refused(codeMessages.traitsDiffer)
  const code = submittedCode(form)
  // An unreadable code is no guess and is not counted.
  if (code === undefined) throw refused(codeMessages.wrongRegistrationCode)
  const row = await guess(d, flow.id, code, addresses)
  const since = d.clock.now() - parseTime(row.expires_at)
  if (since >= 0) return { kind: 'givenUp', expired: { at: row.expires_at, since } }
  if (row.used_at !== null) throw refused(messages.codeUsed())
  return checkedRegistration(d, request, row)
}

/**
 * The code that was sent to one of these addresses. Wrong ones are counted for the flow, and for each address: new flows
 * give no new guesses.
 */
async function guess(
  d: CodeRegistrationDeps,
  flowId: string,
  code: string,
  addresses: readonly CodeAddress[],
): Promise<RegistrationCodeRow> {
  const targets = addresses.map(({ value }) => ({ identityId: value, flowId, method: 'registration_code' }))
  const assertAllowed = async () => {
    for (const target of targets) await d.guesses.assertAllowed(target)
  }
  await assertAllowed()
  const secrets = d.secrets()
  const found = (await d.registrationCodes.ofFlow(flowId)).find(({ hash }) => isHashOf(code, hash, secrets))
  if (found && addresses.some(({ value }) => value === found.value)) {
    await assertAllowed()
    return found
  }
  const { maxSubmissions } = codeSettings(d.config())
  if ((await d.registrationSubmissions.count(flowId)) > maxSubmissions) throw refused(messages.tooManyCodes())
  for (const target of targets) await d.guesses.wrong(target)
  throw refused(codeMessages.wrongRegistrationCode)
}

function checkedRegistration(
  d: CodeRegistrationDeps,
  request: RegistrationRequest,
  row: RegistrationCodeRow,
): CheckedRegistration {
  const { flow, traits } = request
  async function use(tx: Queryable): Promise<void> {
    const { maxSubmissions } = codeSettings(d.config())
    if (!(await d.registrationSubmissions.pass(flow.id, maxSubmissions, tx))) throw refused(messages.tooManyCodes())
    const now = formatTime(d.clock.now())
    if (!(await d.registrationCodes.use(row.id, now, tx))) throw refused(messages.codeUsed())
  }
  return {
    kind: 'checked',
    traits,
    // Its credential follows from the traits.
    credentials: [],
    verified: [{ via: row.via, value: row.value }],
    authentication: { method: GROUP, aal: 'aal1' },
    write: use,
    whenTaken: { kind: 'form', ...refusal(request, messages.taken), state: 'passed_challenge', write: use },
  }
}
