import { assertSize } from '../../identities/sizes.ts'
import type { IdentitySchema, Json } from '../../identities/types.ts'
import { attempt, currentCsrfToken, type Failed, findSubmitted, type ShownAgain, type Taken } from '../attempt.ts'
import { type BeginRequest, expiryOf, selectSchema } from '../begin.ts'
import { fieldText } from '../form.ts'
import { messages } from '../messages.ts'
import { hashPassword, judgePassword, type NewPasswordDeps } from '../new-password.ts'
import { nodeValues } from '../nodes.ts'
import { FormRefused, refused } from '../refused.ts'
import { type Replaced, replaceExpired } from '../replace.ts'
import { shareOf } from '../share.ts'
import { submittedTraits, traitValues } from '../traits.ts'
import type { Caller, FormProblem, SubmittedForm } from '../types.ts'
import { assertEnabled, type BeginRegistrationDeps, isTwoStep, newRegistrationFlow, screenOf } from './begin.ts'
import { type CompleteRegistrationDeps, type Registered, register } from './complete.ts'
import type { Screen } from './form.ts'
import type { RegistrationFlow } from './types.ts'

export type SubmitRegistrationDeps = BeginRegistrationDeps & CompleteRegistrationDeps & NewPasswordDeps

export type RegistrationOutcome =
  | Registered
  | Replaced<RegistrationFlow>
  | ShownAgain<RegistrationFlow>
  | Failed
  /** another screen of the form */
  | { kind: 'screen'; flow: RegistrationFlow; transientPayload: Json | undefined }
  | { kind: 'signedInAlready' }

interface Submission {
  flow: RegistrationFlow
  caller: Caller
  form: SubmittedForm
  schema: IdentitySchema
  traits: Json
}

/**
 * Takes a submitted registration form. Every check comes before the first write.
 * @throws 400 without a flow id or where nobody may sign up, 404, 403, 503
 */
export async function submitRegistration(
  d: SubmitRegistrationDeps,
  flowId: string,
  caller: Caller,
): Promise<RegistrationOutcome> {
  if (await d.sessions.resolve(caller.credentials)) return { kind: 'signedInAlready' }
  const flow = await findSubmitted(d.store, flowId)
  assertEnabled(d.config())
  const expired = expiryOf(flow, d.clock.now())
  if (expired) {
    const make = async (request: BeginRequest) => ({
      flow: newRegistrationFlow(d, request, flow.identity_schema),
      writes: [],
    })
    return replaceExpired('registration', { old: flow, expired, caller }, make, (begun) => d.store.insert(begun.flow))
  }
  const schema = () => selectSchema(d.schemas(), flow.identity_schema)
  async function take(): Promise<Taken<Step>> {
    const form = await caller.form()
    const method = stepOf(d, form)
    return { form, method, kept: traitValues(submittedTraits(form, schema()), schema().inputs) }
  }
  return attempt<RegistrationFlow, Step, RegistrationOutcome>(
    d,
    { flow, caller },
    take,
    ({ form, method }, payload) => {
      const submission = { flow, caller, form, schema: schema(), traits: submittedTraits(form, schema()) }
      return method === 'password' ? signUp(d, submission) : turnTo(d, submission, method, payload)
    },
  )
}

type Step = 'password' | Exclude<Screen, 'unified'>

/** @throws FormRefused for a method that is none of ours */
function stepOf(d: SubmitRegistrationDeps, form: SubmittedForm): Step {
  const [method, screen] = [fieldText(form, 'method'), fieldText(form, 'screen')]
  if (isTwoStep(d.config()) && (screen !== '' || method === 'profile' || method === 'profile:back')) {
    return screen === 'previous' || method === 'profile:back' ? 'profile' : 'credentials'
  }
  if (method === 'password' && d.config().selfservice.methods.password.enabled) return 'password'
  throw refused(messages.noRegistrationMethod)
}

/** Shows the other screen. On to the password only with traits that obey the schema. */
async function turnTo(
  d: SubmitRegistrationDeps,
  { flow, caller, schema, traits }: Submission,
  screen: 'profile' | 'credentials',
  payload: Json | undefined,
): Promise<RegistrationOutcome> {
  assertTraitsSize(d, traits)
  if (screen === 'credentials') {
    assertObeyed(schema, traits)
    derived(schema, traits)
  }
  const values = new Map([...nodeValues(flow.ui.nodes), ...traitValues(traits, schema.inputs)])
  const ui = screenOf(d, { id: flow.id, csrf_token: currentCsrfToken(flow, caller) }, schema, screen, values)
  await d.store.save({ ...flow, ui })
  return {
    kind: 'screen',
    flow: { ...flow, ui },
    transientPayload: screen === 'credentials' ? (payload ?? {}) : payload,
  }
}

async function signUp(d: SubmitRegistrationDeps, s: Submission): Promise<Registered> {
  const password = fieldText(s.form, 'password')
  const missing = password === '' ? [{ path: 'password', message: messages.missing('password') }] : []
  assertTraitsSize(d, s.traits)
  assertObeyed(s.schema, s.traits, missing)
  const identifiers = derived(s.schema, s.traits).identifiers.get('password') ?? []
  if (identifiers.length === 0) throw refused(messages.noIdentifier)
  await judgePassword(d, password, identifiers)
  const returnTo = returnToOf(d, s.flow)
  const passwordHash = await hashPassword(d, password, shareOf(identifiers[0]!, s.caller.client))
  const registered = await register(d, { schemaId: s.schema.id, traits: s.traits, passwordHash }, s.caller)
  return { kind: 'registered', flow: s.flow, returnTo, ...registered }
}

const assertTraitsSize = (d: SubmitRegistrationDeps, traits: Json) =>
  assertSize('traits', d.config().lethe.limits.traits, traits, undefined)

function assertObeyed(schema: IdentitySchema, traits: Json, more: FormProblem[] = []): void {
  const problems = [...schema.validate(traits), ...more]
  if (problems.length > 0) throw new FormRefused(problems)
}

function derived(schema: IdentitySchema, traits: Json) {
  const result = schema.derive(traits)
  if (result.kind === 'failure') throw new FormRefused(result.violations)
  return result
}

function returnToOf(d: SubmitRegistrationDeps, flow: RegistrationFlow): string {
  const { after } = d.config().selfservice.flows.registration
  return d.urls.returnTo(flow.request_url, after.password.default_browser_return_url, after.default_browser_return_url)
}
