import type { RefusedRegistrations } from '../../events/refused-registrations.ts'
import { assertSize } from '../../identities/sizes.ts'
import type { DerivedTraits, IdentitySchema, Json } from '../../identities/types.ts'
import { attempt, currentCsrfToken, type Failed, findSubmitted, type ShownAgain, type Taken } from '../attempt.ts'
import { type BeginRequest, expiryOf, selectSchema } from '../begin.ts'
import { leave, type OtherKind, type Redirect, saveFlow, showNext } from '../engine/step.ts'
import { storeFlow } from '../engine/unstored.ts'
import { HookRefused } from '../hooks/hooks.ts'
import { messages } from '../messages.ts'
import { nodeValues } from '../nodes.ts'
import { FormRefused, isTaken, refused } from '../refused.ts'
import { type Replaced, replaceExpired } from '../replace.ts'
import { submittedTraits, traitValues } from '../traits.ts'
import type { Caller, Expired, FormProblem } from '../types.ts'
import { assertEnabled, type BeginRegistrationDeps, newRegistrationFlow, screenOf } from './begin.ts'
import { type CompleteRegistrationDeps, finishRegistration, type Registered } from './complete.ts'
import { registrationOrder } from './form.ts'
import type { OtherScreen, RegistrationMethod, RegistrationRequest } from './method.ts'
import { type Refusable, type Refused, refusedBy, refusedWith, tellRefused } from './refusal.ts'
import type { RegistrationFlow } from './types.ts'

export type SubmitRegistrationDeps = BeginRegistrationDeps &
  CompleteRegistrationDeps & { refusedRegistrations: RefusedRegistrations }

export type RegistrationOutcome =
  | Registered
  | Replaced<RegistrationFlow>
  | ShownAgain<RegistrationFlow>
  | Failed
  | (Redirect & { flow: RegistrationFlow })
  | (OtherKind & { flow: RegistrationFlow })
  /** another screen of the form */
  | { kind: 'screen'; flow: RegistrationFlow; transientPayload: Json | undefined }
  | { kind: 'signedInAlready' }

/**
 * Takes a submitted registration form. Every check comes before the first write; a refusal is an event.
 * @throws 400 without a flow id or where registration is disabled, 404, 403, 503
 */
export async function submitRegistration(
  d: SubmitRegistrationDeps,
  flowId: string,
  caller: Caller,
): Promise<RegistrationOutcome> {
  const seen: Refusable = {}
  try {
    const outcome = await submitted(d, flowId, caller, seen)
    seen.refused ??= refusedIn(outcome)
    return outcome
  } catch (error) {
    seen.refused ??= refusedBy(error)
    throw error
  } finally {
    await tellRefused(d.refusedRegistrations, seen)
  }
}

/** @param seen for the event, if the form is refused */
async function submitted(
  d: SubmitRegistrationDeps,
  flowId: string,
  caller: Caller,
  seen: Refusable,
): Promise<RegistrationOutcome> {
  if (await d.sessions.resolve(caller.credentials)) return { kind: 'signedInAlready' }
  const flow = await findSubmitted(d.store, flowId)
  seen.flow = flow
  assertEnabled(d.config())
  const replace = (expired: Expired) => {
    const make = (request: BeginRequest) => newRegistrationFlow(d, request, flow.identity_schema)
    return replaceExpired('registration', { old: flow, expired, caller }, make, (begun) => storeFlow(d, begun))
  }
  const expired = expiryOf(flow, d.clock.now())
  if (expired) return replace(expired)
  async function take(): Promise<Taken<RegistrationMethod> & { schema: IdentitySchema; traits: Json }> {
    const form = await caller.form()
    const method = d.methods.find((one) => one.takes(form, flow))
    if (!method) throw refused(messages.noRegistrationMethod)
    seen.method = method.id
    const schema = selectSchema(d.schemas(), flow.identity_schema)
    const traits = submittedTraits(form, schema)
    const kept = new Map([...traitValues(traits, schema.inputs), ...(method.kept?.(form) ?? [])])
    return { form, method, schema, traits, kept, keepsCookies: method.keepsCookies }
  }
  const order = () => registrationOrder(selectSchema(d.schemas(), flow.identity_schema).inputs)
  const submit = { flow, caller, order }
  return attempt(d, submit, take, async ({ method, ...sent }, payload): Promise<RegistrationOutcome> => {
    const csrfToken = currentCsrfToken(flow, caller)
    const request = { flow, caller, ...sent, csrfToken, checkTraits: traitCheck(d, sent.schema) }
    assertTraitsSize(d, sent.traits)
    const result = await method.register(request)
    switch (result.kind) {
      case 'redirect':
        return leave(d, flow, result)
      case 'otherKind':
        return { ...result, flow }
      case 'givenUp':
        return replace(result.expired)
      case 'form': {
        const shown = await showNext(d, flow, result, payload)
        return result.problems || result.asLocation ? shown : { ...shown, kind: 'screen' }
      }
      case 'screen':
        return turnTo(d, request, result, payload)
      case 'checked':
        return finishRegistration(d, {
          flow,
          caller,
          method: method.id,
          schema: sent.schema,
          checked: result,
          transientPayload: payload,
          checkTraits: request.checkTraits,
        }).catch((error: unknown) => {
          if (error instanceof HookRefused) seen.refused = refusedBy(error)
          if (!result.whenTaken || !isTaken(error)) throw error
          return showNext(d, flow, result.whenTaken, payload)
        })
    }
  })
}

function refusedIn(outcome: RegistrationOutcome): Refused | undefined {
  if (outcome.kind === 'failed') return refusedBy(outcome.error)
  if (outcome.kind === 'redirect') return outcome.failed && refusedBy(outcome.failed)
  if (outcome.kind === 'replaced') return { reason: 'flow_expired', messages: [] }
  return outcome.kind === 'form' ? refusedWith(outcome.flow.ui) : undefined
}

/** Shows the other screen; from the traits to the credentials Kratos answers with an empty payload at least. */
async function turnTo(
  d: SubmitRegistrationDeps,
  { flow, schema, traits, csrfToken }: RegistrationRequest,
  { screen }: OtherScreen,
  payload: Json | undefined,
): Promise<RegistrationOutcome> {
  const values = new Map([...nodeValues(flow.ui.nodes), ...traitValues(traits, schema.inputs)])
  const { ui, context, writes } = await screenOf(d, { flow, screen, schema, values }, csrfToken)
  const shown: RegistrationFlow = { ...flow, ui, context, state: 'choose_method' }
  await saveFlow(d, shown, writes)
  return { kind: 'screen', flow: shown, transientPayload: screen === 'credentials' ? (payload ?? {}) : payload }
}

const assertTraitsSize = (d: SubmitRegistrationDeps, traits: Json) =>
  assertSize('traits', d.config().lethe.limits.traits, traits, undefined)

const traitCheck =
  (d: SubmitRegistrationDeps, schema: IdentitySchema) =>
  (traits: Json, more: readonly FormProblem[] = []): DerivedTraits => {
    assertTraitsSize(d, traits)
    const problems = [...schema.validate(traits), ...more]
    if (problems.length > 0) throw new FormRefused(problems)
    const derived = schema.derive(traits)
    if (derived.kind === 'failure') throw new FormRefused(derived.violations)
    return derived
  }
