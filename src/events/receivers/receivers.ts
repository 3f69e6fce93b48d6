import type { Config } from '../../config/schema/schema.ts'
import type { WebhookRow } from '../webhooks/store.ts'
import type { Receiver } from './receiver.ts'

/** A receiver and its state. */
export interface KnownReceiver extends Receiver {
  /** the last event of the log for which its delivery has been written */
  position: number
}

/** The receivers of the configuration and those that were added, by id; where both have one, the configuration wins. */
export function receiversOf(config: Config, rows: readonly WebhookRow[]): KnownReceiver[] {
  const configured = new Map(config.lethe.events.webhooks.map((webhook) => [webhook.id, webhook]))
  return rows.flatMap(({ id, settings, position }) => {
    const webhook = configured.get(id)
    if (webhook) return [{ ...fromConfig(webhook), position }]
    // no longer in the configuration: its position is kept in case it comes back
    return settings === null ? [] : [{ ...settings, id, source: 'api' as const, position }]
  })
}

function fromConfig(webhook: Config['lethe']['events']['webhooks'][number]): Receiver {
  const { id, url, secret, previous_secrets, events, headers, timeout } = webhook
  return {
    id,
    source: 'config',
    url,
    events,
    headers,
    enabled: true,
    secrets: [secret, ...previous_secrets],
    timeoutMs: timeout,
  }
}
