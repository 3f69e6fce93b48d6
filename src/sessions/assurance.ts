import { aalOf } from '../credentials/aal.ts'
import { type Micros, parseTime } from '../kernel/base/clock.ts'
import { methodsOf } from './row.ts'
import type { Rule } from './rules.ts'
import type { Session, SessionRow } from './types.ts'

/** Whether a second factor was proved in the session, and as recently as the rule requires. */
export function hasSecondFactor(session: Session | SessionRow, { fresh }: Rule, now: Micros): boolean {
  const methods = methodsOf(session)
  if (aalOf(methods) !== 'aal2') return false
  if (fresh.aal2 === undefined) return true
  const shown = methods.filter(({ aal }) => aal === 'aal2').map(({ completed_at }) => parseTime(completed_at ?? ''))
  return shown.some((time) => time + fresh.aal2! > now)
}

/** Whether the latest proof in the session, of any level, is older than the rule allows. */
export const isStale = ({ authenticated_at }: Session | SessionRow, { fresh }: Rule, now: Micros): boolean =>
  fresh.aal1 !== undefined && parseTime(authenticated_at) + fresh.aal1 <= now
