import { type Clock, formatTime, type Micros, SECOND } from '../../kernel/base/clock.ts'
import { notFound } from '../../kernel/http/errors.ts'
import type { HandOver } from '../../sessions/hand-over.ts'
import type { Session } from '../../sessions/types.ts'
import type { ExchangeStore } from '../store.ts'

export interface TokenExchangeDeps {
  clock: Clock
  exchanges: Pick<ExchangeStore, 'signedIn' | 'useUp'>
  handOver: HandOver
}

/** An app asks as soon as the browser has returned to it. */
const LIFE: Micros = 10 * 60 * SECOND

export type TokenExchange = ReturnType<typeof createTokenExchange>

/** How an app gets the session that its user has begun in a browser. */
export function createTokenExchange({ clock, exchanges, handOver }: TokenExchangeDeps) {
  return {
    /**
     * Once: it uses up the codes.
     * @param initCode from the app's flow @param returnToCode from the browser
     * @throws 404 where no sign-in has completed for these codes, or they have expired
     */
    async exchange(initCode: string, returnToCode: string): Promise<{ session: Session; token: string }> {
      const since = formatTime(clock.now() - LIFE)
      const waiting = await exchanges.signedIn(initCode, returnToCode, since)
      const handed = waiting && (await handOver(waiting.session_id, (tx) => exchanges.useUp(waiting.id, tx)))
      if (!handed) throw notFound('no session yet for this "code"')
      return handed
    },
  }
}
