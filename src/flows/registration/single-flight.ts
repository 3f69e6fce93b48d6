import { createHash } from 'node:crypto'
import type { JsonObject } from '../../identities/types.ts'
import { stringifyJson } from '../../kernel/base/exact-json.ts'
import { fieldText } from '../form.ts'
import type { Caller, SubmittedForm } from '../types.ts'

/** Whether a form brings nothing that counts for one request only, as a code does. */
type MayRepeat = (form: SubmittedForm) => boolean

/**
 * One submit for several that say the same: a person who waits for a slow web hook presses again, and an app tries again. The
 * second one would be told that the account exists, which is their own. Of this process; entries live as long as their submit.
 */
export function createSingleFlight<T>(mayRepeat: MayRepeat) {
  const underWay = new Map<string, Promise<T>>()
  return async function submit(flowId: string, caller: Caller, work: () => Promise<T>): Promise<T> {
    const key = await keyOf(flowId, caller, mayRepeat)
    if (key === undefined) return work()
    const running = underWay.get(key)
    if (running) return running
    const mine = work().finally(() => underWay.delete(key))
    underWay.set(key, mine)
    return mine
  }
}

/** Undefined for a submit of its own; that of a caller who may not submit the form tells why. */
async function keyOf(flowId: string, caller: Caller, mayRepeat: MayRepeat): Promise<string | undefined> {
  try {
    const form = await caller.form()
    if (!mayRepeat(form)) return undefined
    const token = fieldText(form, 'csrf_token')
    if (token !== '') caller.checkCsrf(token)
    const { scripted, browserHeader = '', credentials } = caller
    const sent = stringifyJson([
      flowId,
      scripted,
      browserHeader,
      { ...credentials },
      form.kind,
      form.values as JsonObject,
    ])
    return createHash('sha256').update(sent).digest('base64')
  } catch {
    return undefined
  }
}
