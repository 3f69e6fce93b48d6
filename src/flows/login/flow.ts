import type { Credentials } from '../../sessions/types.ts'
import type { BeginRequest } from '../begin.ts'
import { byItsBrowser, readFlow } from '../read.ts'
import type { Caller } from '../types.ts'
import { type BegunLogin, beginLogin } from './begin.ts'
import type { Completion } from './complete.ts'
import { finishLogin, type LoginOutcome, type RememberedSignIn, type SubmitLoginDeps, submitLogin } from './submit.ts'
import type { LoginFlow } from './types.ts'

export interface LoginFlows {
  begin(request: BeginRequest & { credentials: Credentials }): Promise<BegunLogin>
  /**
   * @param checkReader throws unless the token of the flow fits the reader's cookie; asked for browser flows only
   * @throws 404, 403, 410
   */
  read(id: string, checkReader: (csrfToken: string) => void): Promise<LoginFlow>
  submit(flowId: string, caller: Caller): Promise<LoginOutcome>
  /** Signs in somebody who has proved who they are outside the form. @throws 401, 403, FormRefused, NotLocked */
  finish(completion: Completion): Promise<RememberedSignIn>
}

export type LoginFlowDeps = SubmitLoginDeps

/** Login: begin a form, show it, take it. @see https://www.ory.com/docs/kratos/self-service/flows/user-login */
export function createLoginFlow(d: LoginFlowDeps): LoginFlows {
  return {
    begin: (request) => beginLogin(d, request),
    read: (id, checkReader) => readFlow('login', d, id, byItsBrowser(checkReader)),
    submit: (flowId, caller) => submitLogin(d, flowId, caller),
    finish: (completion) => finishLogin(d, completion),
  }
}
