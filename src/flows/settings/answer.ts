import type { Json, JsonObject } from '../../identities/types.ts'
import { flowHead, uiAnswer } from '../answer.ts'
import type { SettingsFlow } from './types.ts'

/** A settings flow as clients see it. @param identity as clients see it */
export function settingsAnswer(flow: SettingsFlow, identity: JsonObject, transientPayload?: Json) {
  return {
    ...flowHead(flow),
    ui: uiAnswer(flow),
    identity,
    state: flow.state,
    ...(transientPayload === undefined ? {} : { transient_payload: transientPayload }),
  }
}
