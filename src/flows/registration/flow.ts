import type { Credentials } from '../../sessions/types.ts'
import type { BeginRequest } from '../begin.ts'
import { byItsBrowser, readFlow } from '../read.ts'
import type { Caller } from '../types.ts'
import { assertEnabled, type BegunRegistration, beginRegistration } from './begin.ts'
import { type Completion, finishRegistration, type Registered } from './complete.ts'
import { type RegistrationOutcome, type SubmitRegistrationDeps, submitRegistration } from './submit.ts'
import type { RegistrationFlow } from './types.ts'

export interface RegistrationFlows {
  begin(request: BeginRequest & { credentials: Credentials }): Promise<BegunRegistration>
  /**
   * @param checkReader throws unless the token of the flow fits the reader's cookie; asked for browser flows only
   * @throws 400 where nobody may sign up, 404, 403, 410
   */
  read(id: string, checkReader: (csrfToken: string) => void): Promise<RegistrationFlow>
  submit(flowId: string, caller: Caller): Promise<RegistrationOutcome>
  /** Registers somebody whom a method has judged outside the form. @throws FormRefused when the identifier is taken */
  finish(completion: Completion): Promise<Registered>
}

export type RegistrationFlowDeps = SubmitRegistrationDeps

/** @see https://www.ory.com/docs/kratos/self-service/flows/user-registration */
export function createRegistrationFlow(d: RegistrationFlowDeps): RegistrationFlows {
  return {
    begin: (request) => beginRegistration(d, request),
    async read(id, checkReader) {
      assertEnabled(d.config())
      return readFlow('registration', d, id, byItsBrowser(checkReader))
    },
    submit: (flowId, caller) => submitRegistration(d, flowId, caller),
    finish: (completion) => finishRegistration(d, completion),
  }
}
