import type { Credentials } from '../../sessions/types.ts'
import { findFlow, type ShownAgain } from '../attempt.ts'
import type { BeginRequest } from '../begin.ts'
import { type NextForm, showNext } from '../engine/step.ts'
import { storeFlow } from '../engine/unstored.ts'
import { byItsBrowser, readFlow } from '../read.ts'
import type { Caller, Flow } from '../types.ts'
import { type BegunLogin, beginLogin, newLoginFlow } from './begin.ts'
import type { Completion, SignedIn } from './complete.ts'
import { type FinishedLogin, finishLogin, type LoginOutcome, type SubmitLoginDeps, submitLogin } from './submit.ts'
import type { LoginFlow } from './types.ts'

export interface LoginFlows {
  begin(request: BeginRequest & { credentials: Credentials }): Promise<BegunLogin>
  /**
   * @param checkReader throws unless the token of the flow fits the reader's cookie; asked for browser flows only
   * @throws 404, 403, 410
   */
  read(id: string, checkReader: (csrfToken: string) => void): Promise<LoginFlow>
  submit(flowId: string, caller: Caller): Promise<LoginOutcome>
  /** @throws 404 */
  find(id: string): Promise<LoginFlow>
  /** Another login flow for the same request. @param shape changes it before it is stored */
  continueFrom(flow: Flow, shape?: (made: LoginFlow) => LoginFlow): Promise<LoginFlow>
  /**
   * The flow for a second factor that an account to be linked waits for; the account is carried along.
   * @param csrfToken of the browser that has just signed in
   */
  linkLater(signedIn: SignedIn, csrfToken: string): Promise<LoginFlow | undefined>
  /** Stores the flow after a step outside the form. */
  show(flow: LoginFlow, next: NextForm): Promise<ShownAgain<LoginFlow>>
  /** Signs in after a proof outside the form. @throws 401, 403, FormRefused, NotLocked */
  finish(completion: Completion): Promise<FinishedLogin>
}

export type LoginFlowDeps = SubmitLoginDeps

/** Login: begin a form, show it, submit it. @see https://www.ory.com/docs/kratos/self-service/flows/user-login */
export function createLoginFlow(d: LoginFlowDeps): LoginFlows {
  return {
    begin: (request) => beginLogin(d, request),
    read: (id, checkReader) => readFlow('login', d, id, byItsBrowser(checkReader)),
    submit: (flowId, caller) => submitLogin(d, flowId, caller),
    find: (id) => findFlow(d.store, id),
    async continueFrom({ type, request_url, csrf_token, identity_schema }, shape = (made) => made) {
      const parameters = { refresh: false, aal: 'aal1' as const, schema: identity_schema }
      const request = { type, requestUrl: request_url, csrfToken: csrf_token }
      const { flow, writes } = await newLoginFlow(d, request, parameters, undefined)
      const shaped = shape(flow)
      await storeFlow(d, { flow: shaped, writes })
      return shaped
    },
    async linkLater({ flow: from, session, secondFactorAt }, csrfToken) {
      const carried = secondFactorAt === undefined ? undefined : d.waiting.carried(from)
      if (!carried) return undefined
      const parameters = { refresh: false, aal: 'aal2' as const, schema: '' }
      const { flow, writes } = await newLoginFlow(
        d,
        { type: from.type, requestUrl: secondFactorAt!, csrfToken },
        parameters,
        session,
      )
      const next = { ...flow, context: { ...flow.context, ...carried } }
      await storeFlow(d, { flow: next, writes })
      return next
    },
    show: (flow, next) => showNext(d, flow, next, undefined),
    finish: (completion) => finishLogin(d, completion),
  }
}
