import type { Config } from '../config/schema/schema.ts'
import { type Clock, formatTime, type Micros, SECOND } from '../kernel/base/clock.ts'
import type { Logger } from '../kernel/base/log.ts'
import type { EventLogStore } from './log/store.ts'

/** Why a registration was refused. It holds nothing of what the person has typed. */
export interface RefusedRegistration {
  /** null: no method took the form */
  method: string | null
  reason: string
  /** ids of the messages that the form shows */
  messages: readonly number[]
  flow: 'browser' | 'api'
}

export interface RefusedRegistrationsDeps {
  config(): Config
  clock: Clock
  store: Pick<EventLogStore, 'append'>
  log: Pick<Logger, 'warn'>
}

/** Writes events about registrations that were refused. */
export interface RefusedRegistrations {
  /** Never throws: the answer to the person does not depend on it. */
  tell(refused: RefusedRegistration): Promise<void>
}

const WINDOW: Micros = 60 * SECOND

export function createRefusedRegistrations(d: RefusedRegistrationsDeps): RefusedRegistrations {
  let since: Micros = 0
  let written = 0
  let leftOut = 0
  return {
    async tell(refused) {
      const most = d.config().lethe.events.refused_registrations
      const now = d.clock.now()
      if (most === 0) return
      if (now - since >= WINDOW) [since, written] = [now, 0]
      if (written >= most) {
        leftOut += 1
        return
      }
      written += 1
      const data = { ...refused, ...(leftOut === 0 ? {} : { left_out: leftOut }) }
      leftOut = 0
      try {
        await d.store.append('registration.refused', { type: 'system' }, data, formatTime(now))
      } catch (err) {
        d.log.warn({ err }, 'a registration was refused, and its event could not be written')
      }
    },
  }
}
