import type { Queryable } from '../../kernel/db/client.ts'
import type { BeginRequest } from '../begin.ts'
import { byItsBrowser, readFlow } from '../read.ts'
import { assertEnabled, beginUnasked, beginVerification, type UnaskedVerification } from './begin.ts'
import {
  type SubmitVerificationDeps,
  submitVerification,
  type VerificationCaller,
  type VerificationOutcome,
} from './submit.ts'
import type { VerificationFlow } from './types.ts'

export interface VerificationFlows {
  begin(request: BeginRequest): Promise<VerificationFlow>
  /** Begins the flow of a new address. @returns undefined where verification is switched off */
  beginUnasked(address: UnaskedVerification, tx: Queryable): Promise<VerificationFlow | undefined>
  /** Hands flows that began unasked to the browser of this token: its cookie has changed since. */
  bind(flows: readonly VerificationFlow[], csrfToken: string): Promise<void>
  /**
   * @param checkReader throws unless the token of the flow matches the reader's cookie; called for browser flows only
   * @throws 400 where verification is switched off, 404, 403, 410
   */
  read(id: string, checkReader: (csrfToken: string) => void): Promise<VerificationFlow>
  submit(flowId: string, caller: VerificationCaller): Promise<VerificationOutcome>
}

/**
 * Verification of addresses.
 * @see https://www.ory.com/docs/kratos/self-service/flows/verify-email-account-activation
 */
export function createVerificationFlow(d: SubmitVerificationDeps): VerificationFlows {
  return {
    begin: (request) => beginVerification(d, request),
    beginUnasked: (address, tx) => beginUnasked(d, address, tx),
    bind: (flows, csrfToken) =>
      d.store.bind(
        flows.map(({ id }) => id),
        csrfToken,
      ),
    async read(id, checkReader) {
      assertEnabled(d.config())
      return readFlow('verification', d, id, byItsBrowser(checkReader))
    },
    submit: (flowId, caller) => submitVerification(d, flowId, caller),
  }
}
