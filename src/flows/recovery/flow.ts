import type { Credentials } from '../../sessions/types.ts'
import type { BeginRequest } from '../begin.ts'
import { readFlow } from '../read.ts'
import { assertEnabled, type BegunRecovery, beginRecovery } from './begin.ts'
import { type RecoveryCaller, type RecoveryOutcome, type SubmitRecoveryDeps, submitRecovery } from './submit.ts'
import type { RecoveryFlow } from './types.ts'

export interface RecoveryFlows {
  begin(request: BeginRequest & { credentials: Credentials }): Promise<BegunRecovery>
  /**
   * @param checkReader throws unless the token of the flow matches the reader's cookie; called for browser flows only
   * @throws 400 where recovery is switched off, 404, 403, 410
   */
  read(id: string, checkReader: (csrfToken: string) => void): Promise<RecoveryFlow>
  submit(flowId: string, caller: RecoveryCaller): Promise<RecoveryOutcome>
}

/**
 * An owner who cannot sign in any more proves an address, and is signed in to set a new credential.
 * @see https://www.ory.com/docs/kratos/self-service/flows/account-recovery-password-reset
 */
export function createRecoveryFlow(d: SubmitRecoveryDeps): RecoveryFlows {
  return {
    begin: (request) => beginRecovery(d, request),
    async read(id, checkReader) {
      assertEnabled(d.config())
      return readFlow('recovery', d, id, (flow: RecoveryFlow) => {
        if (flow.type === 'browser' && !flow.skip_csrf_check) checkReader(flow.csrf_token)
      })
    },
    submit: (flowId, caller) => submitRecovery(d, flowId, caller),
  }
}
