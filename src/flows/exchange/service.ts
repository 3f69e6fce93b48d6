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

/** An app asks as soon as the browser has come back to it. */
const LIFE: Micros = 10 * 60 * SECOND

export type TokenExchange = ReturnType<typeof createTokenExchange>

/** How an app gets the session for which a person has signed in with a browser. */
export function createTokenExchange({ clock, exchanges, handOver }: TokenExchangeDeps) {
  return {
    /**
     * Once: the codes are used up with it.
     * @param initCode what the app got with its flow @param returnToCode what the browser brought back
     * @throws 404 where nobody has signed in for these codes, or no longer
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
