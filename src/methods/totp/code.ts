import { Secret, TOTP } from 'otpauth'
import { type Micros, SECOND } from '../../kernel/base/clock.ts'

const PERIOD = 30
/** Periods that a phone's clock may be wrong by, either way. */
const TOLERANCE = 1
/** A code within these shows that the clock is wrong, rather than the app. It is refused all the same. */
const WRONG_CLOCK = 20

/** The number of the period of a time. */
export const stepAt = (now: Micros): number => Math.floor(now / SECOND / PERIOD)

export type Judged =
  | { kind: 'right'; step: number }
  /** a code of that period, in seconds from now: the phone's clock is ahead, or behind if it is negative */
  | { kind: 'wrongClock'; step: number; seconds: number }
  | { kind: 'wrong' }

/** @see RFC 6238, RFC 4226 */
export function judgeCode(secret: string, code: string, now: Micros): Judged {
  if (!/^\d{6}$/.test(code)) return { kind: 'wrong' }
  const app = new TOTP({ secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits: 6, period: PERIOD })
  const timestamp = Math.floor(now / 1000)
  const delta = app.validate({ token: code, timestamp, window: WRONG_CLOCK })
  if (delta === null) return { kind: 'wrong' }
  const step = stepAt(now) + delta
  return Math.abs(delta) <= TOLERANCE ? { kind: 'right', step } : { kind: 'wrongClock', step, seconds: delta * PERIOD }
}
