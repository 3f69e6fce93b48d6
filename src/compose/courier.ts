import { createSenders } from '../courier/channels/senders.ts'
import { createRecipientLimit } from '../courier/limit.ts'
import { createCourierMessages } from '../courier/messages.ts'
import { createAccountNotices } from '../courier/notices.ts'
import { createCourier } from '../courier/service.ts'
import { createCourierStore } from '../courier/store.ts'
import { createClaimStore } from '../courier/store-claims.ts'
import { createMessageListStore } from '../courier/store-list.ts'
import { createSuppressionList } from '../courier/suppression-list.ts'
import { createTelephone } from '../courier/telephone.ts'
import type { Templates } from '../courier/types.ts'
import { createCourierWorker } from '../courier/worker.ts'
import { createAttemptStore } from '../flows/login/store-attempts.ts'
import type { Base } from './environment.ts'

export type CourierParts = ReturnType<typeof composeCourier>

export function composeCourier(d: Base) {
  const { config, clock, random, db, meta, log, dev } = d
  const templates = current(d.messageTemplates)
  const counter = createAttemptStore(db, meta.nid)
  const courierWorker = createCourierWorker({
    config,
    clock,
    random,
    dev,
    log,
    templates,
    store: createClaimStore(db, meta.nid),
    senders: createSenders(d),
    suppressed: createSuppressionList({ clock, counter, serverSecret: meta.serverSecret }),
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
