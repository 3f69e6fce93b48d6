import { type Clock, formatTime } from '../kernel/base/clock.ts'
import { stringifyJson } from '../kernel/base/exact-json.ts'
import { uuid } from '../kernel/base/uuid.ts'
import { newCode } from '../kernel/crypto/one-time.ts'
import type { Random } from '../kernel/crypto/tokens.ts'
import type { Queryable } from '../kernel/db/client.ts'
import { HttpError, TOO_MANY_MESSAGES } from '../kernel/http/errors.ts'
import type { RecipientLimit } from './limit.ts'
import type { CourierStore } from './store.ts'
import type { Telephone } from './telephone.ts'
import type { Message, Templates } from './types.ts'

export interface CourierDeps {
  clock: Clock
  random: Random
  store: Pick<CourierStore, 'enqueue' | 'tried'>
  templates: Templates
  limit: RecipientLimit
  telephone: Telephone
  /** of messages that the server sends of itself */
  noticeLimit: RecipientLimit
}

export type CodeRecipient = Pick<Message, 'channel' | 'recipient'>

export interface SentCode {
  code: string
  /** it was sent a moment ago: pass it on to `enqueueIf` */
  again: boolean
}

/** The queue of messages to people. */
export interface Courier {
  /**
   * Stores a message with its final texts; it is sent after the transaction has committed, by the first node or
   * courier that claims it.
   * @param tx of the code or link in the message, so that neither exists without the other
   * @returns the id of the message
   */
  enqueue(message: Message, tx?: Queryable): Promise<string>
  /**
   * A code for a message that any client may ask for.
   * @param flow one that has sent a code before sends another, which voids it
   */
  codeFor(to: CodeRecipient, kind: string, flow: { state: string }, tx: Queryable): Promise<SentCode>
  /**
   * `enqueue` for an address from any client. For an unknown one the message is stored and rolled back, which
   * takes as many steps and counts alike.
   * @param again the code in it was sent already: nothing goes out
   * @returns the id of the message; undefined for an unknown address
   * @throws HttpError 429 where the recipient has got as many as it may, 400 for a telephone number that gets none
   */
  enqueueIf(isKnown: boolean, message: Message, tx: Queryable, again?: boolean): Promise<string | undefined>
  /** `enqueue` for a message that the server sends of itself. It is left out where the recipient has got as many as it may. */
  enqueueWithin(message: Message, tx: Queryable): Promise<void>
}

export function createCourier({
  clock,
  random,
  store,
  templates,
  limit,
  telephone,
  noticeLimit,
}: CourierDeps): Courier {
  async function queue(message: Message, tx?: Queryable): Promise<string> {
    const { subject, body } = await templates.render(message)
    const id = uuid(random)
    const { channel, recipient, type } = message
    const row = { id, channel, recipient, subject, body, template: type, now: formatTime(clock.now()) }
    const data = stringifyJson(message.data)
    await store.enqueue({ ...row, data, requestHeaders: stringifyJson(message.requestHeaders ?? {}) }, tx)
    return id
  }
  return {
    enqueue: queue,
    async codeFor({ channel, recipient }, kind, flow, tx) {
      const cools = channel === 'sms' && flow.state !== 'sent_email'
      const sent = cools ? await telephone.code(kind, recipient, tx) : undefined
      return { code: newCode(sent?.random ?? random), again: sent?.again ?? false }
    },
    async enqueueIf(isKnown, message, tx, again = false) {
      // Also what is not sent again: each flow allows a few guesses at the code.
      await limit.assertAllowed(message, tx)
      if (message.channel === 'sms' && !again) await telephone.assertAllowed(message, tx)
      const id = await store.tried(tx, isKnown && !again, () => queue(message, tx))
      return isKnown && !again ? id : undefined
    },
    async enqueueWithin(message, tx) {
      try {
        await noticeLimit.assertAllowed(message, tx)
      } catch (error) {
        if (error instanceof HttpError && error.id === TOO_MANY_MESSAGES) return
        throw error
      }
      await queue(message, tx)
    },
  }
}
