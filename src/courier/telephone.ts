import { createHmac } from 'node:crypto'
import type { Config } from '../config/schema/schema.ts'
import { type Clock, type Micros, SECOND } from '../kernel/base/clock.ts'
import { keyedName } from '../kernel/crypto/keyed-name.ts'
import type { Random } from '../kernel/crypto/tokens.ts'
import type { Queryable } from '../kernel/db/client.ts'
import { badRequest, HttpError } from '../kernel/http/errors.ts'
import { type Counter, countOne, spelled } from './limit.ts'
import type { Message } from './types.ts'

export interface TelephoneDeps {
  config(): Config
  clock: Clock
  counter: Counter
  /** shared by all nodes */
  serverSecret: Uint8Array
  log: { error(details: object, message: string): void }
}

/** The limits of text messages: the operator pays for each, also for those that bots ask for. */
export interface Telephone {
  /**
   * The code of a message of this kind to the number. Within the cool-down of the one before it is the same code again,
   * on all nodes, so that it holds in whichever flow the person has gone on with.
   * @returns also whether it was sent already; undefined without a cool-down
   */
  code(kind: string, number: string, tx: Queryable): Promise<{ random: Random; again: boolean } | undefined>
  /** Counts one more. @throws HttpError 400 for a number that gets no messages, 429 beyond a limit */
  assertAllowed(message: Pick<Message, 'recipient' | 'network'>, tx: Queryable): Promise<void>
}

const [HOUR, DAY]: [Micros, Micros] = [3600 * SECOND, 86_400 * SECOND]

export function createTelephone(d: TelephoneDeps): Telephone {
  const settings = () => d.config().lethe.courier.sms
  let told: Micros = Number.NEGATIVE_INFINITY

  return {
    async code(kind, number, tx) {
      const pause = Math.trunc(settings().cool_down * 1000)
      if (pause === 0) return undefined
      const now = d.clock.now()
      const name = [kind, spelledNumber(number)] as const
      const key = keyedName(d.serverSecret, 'sms cool-down', ...name)
      const sentAt = await d.counter.first(key, { now, since: now - pause, until: now + pause }, tx)
      return { random: derived(d.serverSecret, ...name, String(sentAt)), again: sentAt !== now }
    },

    async assertAllowed({ recipient, network }, tx) {
      const { allowed_prefixes, per_number, per_network, per_hour } = settings()
      const to = spelledNumber(recipient)
      if (allowed_prefixes.length > 0 && !allowed_prefixes.some((prefix) => to.startsWith(prefix)))
        throw badRequest('No messages are sent to telephone numbers of this country.')
      if (per_number > 0) await countOne(d, ['sms of a day', to], { allowed: per_number, window: DAY }, tx)
      if (per_network > 0 && network !== undefined)
        await countOne(d, ['sms of a network', network], { allowed: per_network, window: HOUR }, tx)
      if (per_hour === 0) return
      await countOne(d, ['sms of an hour'], { allowed: per_hour, window: HOUR }, tx).catch((error: unknown): never => {
        if (error instanceof HttpError && d.clock.now() - told > HOUR) {
          told = d.clock.now()
          d.log.error({ per_hour }, 'lethe.courier.sms.per_hour is reached: no text message goes out for now')
        }
        throw error
      })
    },
  }
}

const spelledNumber = (recipient: string): string => spelled({ channel: 'sms', recipient })[1]

/** Bytes that every node derives alike, and no other program: they need the secret. */
function derived(secret: Uint8Array, ...of: string[]): Random {
  let drawn = 0
  return (size) => {
    drawn += 1
    return createHmac('sha512', secret)
      .update(['sms code', ...of, String(drawn)].join('\0'))
      .digest()
      .subarray(0, size)
  }
}
