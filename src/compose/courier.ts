import { createAccessTokens } from '../courier/channels/access-tokens.ts'
import { createDevSender } from '../courier/channels/dev.ts'
import { createHttpSender } from '../courier/channels/http.ts'
import { createSmtpSender } from '../courier/channels/smtp.ts'
import { createRecipientLimit } from '../courier/limit.ts'
import { createCourierMessages } from '../courier/messages.ts'
import { createAccountNotices } from '../courier/notices.ts'
import { createRefusals } from '../courier/refusals.ts'
import { createCourier } from '../courier/service.ts'
import { createCourierStore } from '../courier/store.ts'
import { createClaimStore } from '../courier/store-claims.ts'
import { createMessageListStore } from '../courier/store-list.ts'
import { createTelephone } from '../courier/telephone.ts'
import type { Templates } from '../courier/types.ts'
import { createCourierWorker } from '../courier/worker.ts'
import { createAttemptStore } from '../flows/login/store-attempts.ts'
import { parseUrl } from '../kernel/base/url.ts'
import { exchange } from '../kernel/outbound/client.ts'
import { addressRules } from '../kernel/outbound/guard.ts'
import type { Base } from './environment.ts'

export type CourierParts = ReturnType<typeof composeCourier>

export function composeCourier(d: Base) {
  const { config, clock, random, db, meta, log, dev, cwd } = d
  const templates = current(d.messageTemplates)
  const counter = createAttemptStore(db, meta.nid)
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
  const courierWorker = createCourierWorker({
    config,
    clock,
    random,
    dev,
    log,
    templates,
    store: createClaimStore(db, meta.nid),
    senders: {
      email: {
        send(message) {
          const { delivery_strategy: strategy, smtp: settings } = config().courier
          if (strategy === 'http') return http.send(message)
          return (dev && settings.connection_uri === undefined ? shown : smtp).send(message)
        },
      },
      sms: { send: (message) => (dev && channel() === undefined ? shown : sms).send(message) },
    },
    refusals: createRefusals({ clock, counter, serverSecret: meta.serverSecret }),
    onTry: d.metrics.courier.tried,
  })
  const courierMessages = createCourierMessages({ list: createMessageListStore(db, meta.nid), clock, dev })
  d.metrics.courier.watchQueue(courierMessages.state)
  const limits = { config, clock, counter, serverSecret: meta.serverSecret }
  const courier = createCourier({
    clock,
    random,
    templates,
    limit: createRecipientLimit({ ...limits, counted: 'messages' }),
    telephone: createTelephone({ ...limits, log }),
    noticeLimit: createRecipientLimit({ ...limits, counted: 'notices' }),
    store: createCourierStore(db, meta.nid),
  })
  return {
    courierMessages,
    courier,
    courierWorker,
    notices: createAccountNotices({ config, clock, courier, identityAnswer: d.identityAnswer }),
  }
}

/** The templates in force when a message is made: a reload may replace them. */
function current(templates: Base['messageTemplates']): Templates {
  return {
    render: (message) => templates().render(message),
    html: (message) => templates().html(message),
  }
}
