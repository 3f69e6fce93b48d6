import type { Credentials } from '../../sessions/types.ts'
import { findFlow, type ShownAgain } from '../attempt.ts'
import type { BeginRequest } from '../begin.ts'
import { type NextForm, showNext } from '../engine/step.ts'
import { storeFlow } from '../engine/unstored.ts'
import { fieldText } from '../form.ts'
import { byItsBrowser, readFlow } from '../read.ts'
import type { Caller, Flow } from '../types.ts'
import { assertEnabled, type BegunRegistration, beginRegistration, newRegistrationFlow } from './begin.ts'
import { type Completion, finishRegistration, type Registered } from './complete.ts'
import type { RegistrationMethodId } from './method.ts'
import { refusedBy, tellRefused } from './refusal.ts'
import { createSingleFlight } from './single-flight.ts'
import { type RegistrationOutcome, type SubmitRegistrationDeps, submitRegistration } from './submit.ts'
import type { RegistrationFlow } from './types.ts'

export interface RegistrationFlows {
  begin(request: BeginRequest & { credentials: Credentials }): Promise<BegunRegistration>
  /**
   * @param checkReader throws unless the token of the flow matches the reader's cookie; called for browser flows only
   * @throws 400 where registration is disabled, 404, 403, 410
   */
  read(id: string, checkReader: (csrfToken: string) => void): Promise<RegistrationFlow>
  submit(flowId: string, caller: Caller): Promise<RegistrationOutcome>
  /** @throws 404 */
  find(id: string): Promise<RegistrationFlow>
  /** A registration flow for the request of another flow. @throws 400 where registration is disabled */
  continueFrom(flow: Flow): Promise<RegistrationFlow>
  /** Stores the flow after a step outside the form. */
  show(flow: RegistrationFlow, next: NextForm): Promise<ShownAgain<RegistrationFlow>>
  /** Writes the event of a refusal outside the form. */
  tellRefused(flow: RegistrationFlow, method: RegistrationMethodId, error: unknown): Promise<void>
  /** Registers an identity that a method has checked outside the form. @throws FormRefused when the identifier is taken */
  finish(completion: Completion): Promise<Registered>
}

export type RegistrationFlowDeps = SubmitRegistrationDeps

/** @see https://www.ory.com/docs/kratos/self-service/flows/user-registration */
export function createRegistrationFlow(d: RegistrationFlowDeps): RegistrationFlows {
  const singleFlight = createSingleFlight<RegistrationOutcome>((form) =>
    d.methods.some((method) => method.mayRepeat && method.id === fieldText(form, 'method')),
  )
  /** An error may pass the forms of two steps. */
  const told = new WeakSet<object>()
  return {
    begin: (request) => beginRegistration(d, request),
    async read(id, checkReader) {
      assertEnabled(d.config(), { forward: true })
      return readFlow('registration', d, id, byItsBrowser(checkReader))
    },
    submit: (flowId, caller) => singleFlight(flowId, caller, () => submitRegistration(d, flowId, caller)),
    find: (id) => findFlow(d.store, id),
    async continueFrom({ type, request_url, csrf_token, identity_schema }) {
      assertEnabled(d.config())
      const request = { type, requestUrl: request_url, csrfToken: csrf_token }
      const begun = await newRegistrationFlow(d, request, identity_schema)
      await storeFlow(d, begun)
      return begun.flow
    },
    show: (flow, next) => showNext(d, flow, next, undefined),
    async tellRefused(flow, method, error) {
      if (told.has(error as object)) return
      told.add(error as object)
      await tellRefused(d.refusedRegistrations, { flow, method, refused: refusedBy(error) })
    },
    finish: (completion) => finishRegistration(d, completion),
  }
}
