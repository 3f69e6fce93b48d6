import { type Clock, formatTime } from '../kernel/base/clock.ts'
import { stringifyJson } from '../kernel/base/exact-json.ts'
import { uuid } from '../kernel/base/uuid.ts'
import type { Random } from '../kernel/crypto/tokens.ts'
import type { Queryable } from '../kernel/db/client.ts'
import type { CourierStore } from './store.ts'
import type { Message, Templates } from './types.ts'

export interface CourierDeps {
  clock: Clock
  random: Random
  store: Pick<CourierStore, 'enqueue' | 'undone'>
  templates: Templates
}

/** The queue of messages to people. */
export interface Courier {
  /**
   * Writes a message down with its final texts; it is sent after the transaction has committed, by whichever node or
   * courier comes first.
   * @param tx of the code or link that the message carries, so that there is never one without the other
   * @returns the id of the message
   */
  enqueue(message: Message, tx?: Queryable): Promise<string>
  /** Does what `enqueue` does and takes it back: it takes as long, and sends nothing to an address that nobody has. */
  pretend(message: Message, tx: Queryable): Promise<void>
}

export function createCourier({ clock, random, store, templates }: CourierDeps): Courier {
  const courier: Courier = {
    async enqueue(message, tx) {
      const { subject, body } = await templates.render(message)
      const id = uuid(random)
      const { channel, recipient, type } = message
      const row = { id, channel, recipient, subject, body, template: type, now: formatTime(clock.now()) }
      const data = stringifyJson(message.data)
      await store.enqueue({ ...row, data, requestHeaders: stringifyJson(message.requestHeaders ?? {}) }, tx)
      return id
    },
    pretend: (message, tx) => store.undone(tx, () => courier.enqueue(message, tx)),
  }
  return courier
}
