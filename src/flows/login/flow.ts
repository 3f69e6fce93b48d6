import type { Credentials } from '../../sessions/types.ts'
import type { BeginRequest } from '../begin.ts'
import { byItsBrowser, readFlow } from '../read.ts'
import type { Caller } from '../types.ts'
import { type BegunLogin, beginLogin } from './begin.ts'
import { type LoginOutcome, type SubmitLoginDeps, submitLogin } from './submit.ts'
import type { LoginFlow } from './types.ts'

export interface LoginFlows {
  begin(request: BeginRequest & { credentials: Credentials }): Promise<BegunLogin>
  /**
   * @param checkReader throws unless the token of the flow fits the reader's cookie; asked for browser flows only
   * @throws 404, 403, 410
   */
  read(id: string, checkReader: (csrfToken: string) => void): Promise<LoginFlow>
  submit(flowId: string, caller: Caller): Promise<LoginOutcome>
}

export type LoginFlowDeps = SubmitLoginDeps

/** Login by password: begin a form, show it, take it. @see https://www.ory.com/docs/kratos/self-service/flows/user-login */
export function createLoginFlow(d: LoginFlowDeps): LoginFlows {
  return {
    begin: (request) => beginLogin(d, request),
    read: (id, checkReader) => readFlow('login', d, id, byItsBrowser(checkReader)),
    submit: (flowId, caller) => submitLogin(d, flowId, caller),
  }
}
