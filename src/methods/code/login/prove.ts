import type { GivenUp } from '../../../flows/engine/step.ts'
import type { Attempt, LoginAttempts } from '../../../flows/login/attempts.ts'
import type { Guesses } from '../../../flows/login/guesses.ts'
import type { KnownBrowsers } from '../../../flows/login/known-browsers.ts'
import type { LoginRequest, Proved } from '../../../flows/login/method.ts'
import { messages } from '../../../flows/messages.ts'
import { refused } from '../../../flows/refused.ts'
import type { IdentityService } from '../../../identities/service.ts'
import type { FullIdentity, VerifiableAddress } from '../../../identities/types.ts'
import { formatTime, parseTime, type Timestamp } from '../../../kernel/base/clock.ts'
import { uuid } from '../../../kernel/base/uuid.ts'
import { isHashOf } from '../../../kernel/crypto/one-time.ts'
import { storedSpelling } from '../addresses.ts'
import { codeMessages } from '../messages.ts'
import { codeSettings } from '../settings.ts'
import { submittedCode } from '../spelling.ts'
import type { SubmissionStore } from '../store-submissions.ts'
import type { SendLoginCodeDeps } from './send.ts'
import type { LoginCodeRow } from './store.ts'

export interface ProveLoginCodeDeps extends SendLoginCodeDeps {
  identities: Pick<IdentityService, 'verifyAddress'>
  loginSubmissions: SubmissionStore
  attempts: LoginAttempts
  guesses: Guesses
  knownBrowsers: Pick<KnownBrowsers, 'of'>
}

/** The account that the code is claimed for. */
export interface Claimant {
  /** undefined for an unknown identifier: every code is wrong then */
  identity: FullIdentity | undefined
  /** of a first factor, as it was typed */
  identifier?: string
}

/** Limits wrong codes of the last minutes, beside those of the flow: a new flow allows no new guesses. */
interface Limit {
  /** a right code is accepted only below the limit. @throws 429 */
  check(): Promise<void>
  /** @throws 429 */
  wrong(): Promise<void>
}

/** Whether the code of the form is the one that was sent. @throws FormRefused, 429 */
export async function proveLoginCode(
  d: ProveLoginCodeDeps,
  request: LoginRequest,
  claimant: Claimant,
): Promise<Proved | GivenUp> {
  const { flow, form } = request
  const { identity } = claimant
  const code = submittedCode(form)
  // No guess, so it does not count.
  if (code === undefined) throw refused(codeMessages.wrongLoginCode)
  const limit = await limitOf(d, request, claimant)
  const secrets = d.secrets()
  // Also for an unknown identifier, so that the time does not reveal accounts.
  const rows = await d.loginCodes.ofFlow(flow.id, identity?.id ?? uuid(d.random))
  const row = rows.find(({ hash }) => isHashOf(code, hash, secrets))
  if (!identity || !row) {
    const { maxSubmissions } = codeSettings(d.config())
    if ((await d.loginSubmissions.count(flow.id)) > maxSubmissions) throw refused(messages.tooManyCodes())
    await limit.wrong()
    throw refused(codeMessages.wrongLoginCode)
  }
  await limit.check()
  const since = d.clock.now() - parseTime(row.expires_at)
  if (since >= 0) return { kind: 'givenUp', expired: { at: row.expires_at, since } }
  return proved(d, request, { ...claimant, identity }, row)
}

function proved(
  d: ProveLoginCodeDeps,
  { flow }: LoginRequest,
  { identity, identifier }: Claimant & { identity: FullIdentity },
  row: LoginCodeRow,
): Proved {
  const now = formatTime(d.clock.now())
  const { identity: proven, verifies } = withProof(identity, row, now)
  return {
    kind: 'proved',
    identity: proven,
    authentication: { method: 'code', aal: flow.requested_aal },
    ...(identifier === undefined ? {} : { identifier }),
    async write(tx) {
      const { maxSubmissions } = codeSettings(d.config())
      if (!(await d.loginSubmissions.pass(flow.id, maxSubmissions, tx))) throw refused(messages.tooManyCodes())
      if (!(await d.loginCodes.use(row.id, now, tx))) throw refused(messages.codeUsed())
      if (verifies) await d.identities.verifyAddress(identity.id, row, tx, now)
    },
  }
}

/** A right code verifies the address that it was sent to. One that was verified before keeps its time. */
function withProof(identity: FullIdentity, { via, value }: LoginCodeRow, now: Timestamp) {
  const proves = (one: VerifiableAddress) => one.via === via && one.value === value && !one.verified
  const addresses = identity.verifiable_addresses
  return {
    verifies: addresses.some(proves),
    identity: {
      ...identity,
      verifiable_addresses: addresses.map((one) =>
        proves(one) ? { ...one, verified: true, status: 'completed', verified_at: now } : one,
      ),
    },
  }
}

async function limitOf(
  d: ProveLoginCodeDeps,
  { flow, caller }: LoginRequest,
  { identity, identifier }: Claimant,
): Promise<Limit> {
  if (identifier === undefined) {
    const target = { identityId: identity!.id, flowId: flow.id, method: 'code' }
    const check = () => d.guesses.assertAllowed(target)
    await check()
    return { check, wrong: () => d.guesses.wrong(target) }
  }
  const spelling = storedSpelling(identifier)
  const who: Attempt = {
    // Apart from guesses at the password, so that one limit leaves the owner the other method.
    identifier: `code\0${spelling}`,
    client: caller.client,
    knownBrowser: d.knownBrowsers.of(caller.knownBrowser, spelling),
    identityId: async () => identity?.id,
  }
  const counts = await d.attempts.begin(who)
  return { check: () => d.attempts.check(counts), wrong: () => d.attempts.failed(who, counts) }
}
