import type { Config } from '../../config/schema/schema.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import { parseUrl } from '../../kernel/base/url.ts'
import { exchange } from '../../kernel/outbound/client.ts'
import { addressRules } from '../../kernel/outbound/guard.ts'
import type { Channel } from '../types.ts'
import { createAccessTokens } from './access-tokens.ts'
import type { Sender } from './channel.ts'
import { createDevSender } from './dev.ts'
import { createHttpSender } from './http.ts'
import { createSmtpSender } from './smtp.ts'

export interface SendersDeps {
  config(): Config
  clock: Clock
  /** without a mail server messages are shown */
  dev: boolean
  /** where relative paths begin */
  cwd: string
  log: { info(details: object, message: string): void }
}

/** How messages leave, by channel: for the courier, and for `courier test`. */
export function createSenders(d: SendersDeps): Record<Channel, Sender> {
  const { config, clock, log, dev, cwd } = d
  const rules = () => addressRules(config())
  const smtp = createSmtpSender({
    settings: () => config().courier.smtp,
    hostname: () => parseUrl(config().serve.public.base_url ?? '')?.hostname,
    clock,
    tokens: createAccessTokens({
      settings: () => config().lethe.courier.smtp.oauth2,
      exchange: (request) => exchange(request, rules()),
      clock,
      cwd,
    }),
  })
  const http = createHttpSender({ request: () => config().courier.http.request_config, rules, cwd })
  const channel = () => config().courier.channels.find(({ id }) => id === 'sms')
  const sms = createHttpSender({ request: () => channel()?.request_config, rules, cwd })
  const shown = createDevSender(log)
  return {
    email: {
      send(message) {
        const { delivery_strategy: strategy, smtp: settings } = config().courier
        if (strategy === 'http') return http.send(message)
        return (dev && settings.connection_uri === undefined ? shown : smtp).send(message)
      },
    },
    sms: { send: (message) => (dev && channel() === undefined ? shown : sms).send(message) },
  }
}
