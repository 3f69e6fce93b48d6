import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '../../../identities/types.ts'
import { SECOND } from '../../../kernel/base/clock.ts'
import type { Queryable } from '../../../kernel/db/client.ts'
import { kindOf } from '../kinds.ts'
import type { KnownByProvider } from '../sign-in.ts'

export interface ToldOnceDeps {
  continuity: {
    keep(name: string, id: string, payload: JsonObject, lifespan: number): Promise<void>
    look(name: string, id: string): Promise<{ [name: string]: Json } | undefined>
    drop(id: string, tx: Queryable): Promise<void>
  }
}

const NAME = 'lethe_oidc_told_once'
const LIFESPAN = 30 * 24 * 60 * 60 * SECOND

/**
 * Claims that a provider tells the first time only (the name, at Apple). A registration may fail after that, for a trait that
 * is missing or because the person turns back: they are kept for the next try, sealed.
 */
export function createToldOnce({ continuity }: ToldOnceDeps) {
  const toldBy = ({ provider }: KnownByProvider) => kindOf(provider).toldOnce ?? []

  return {
    /** Before a registration: the claims with those that were told before. */
    async complete(known: KnownByProvider): Promise<KnownByProvider> {
      const names = toldBy(known)
      if (names.length === 0) return known
      const told = Object.fromEntries(names.flatMap((name) => (known.claims[name] ? [[name, known.claims[name]]] : [])))
      if (Object.keys(told).length > 0) {
        await continuity.keep(NAME, idOf(known), told as JsonObject, LIFESPAN)
        return known
      }
      const before = await continuity.look(NAME, idOf(known))
      return before ? { ...known, claims: { ...before, ...known.claims } } : known
    },

    /** In the transaction that makes the identity. */
    async forget(known: KnownByProvider, tx: Queryable): Promise<void> {
      if (toldBy(known).length > 0) await continuity.drop(idOf(known), tx)
    },
  }
}

export type ToldOnce = ReturnType<typeof createToldOnce>

/** One place for each account, whichever flow it comes by. @see RFC 9562 §5.8 */
function idOf({ provider, subject }: KnownByProvider): string {
  const digest = createHash('sha256').update(`${NAME}\0${provider.id}\0${subject}`).digest('hex')
  return digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-8$3-8$4-$5')
}
