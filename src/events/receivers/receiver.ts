/** A receiver of events, from the configuration or the admin API. */
export interface Receiver {
  id: string
  source: 'config' | 'api'
  url: string
  /** the newest first; all of them sign */
  secrets: readonly string[]
  /** types of events; `*` is all */
  events: readonly string[]
  headers: Readonly<Record<string, string>>
  timeoutMs: number
  /** false: its events are kept and wait */
  enabled: boolean
}

/** What is stored of a receiver that was added by the admin API. */
export type ReceiverSettings = Omit<Receiver, 'id' | 'source'>

/** The types that a receiver wants; undefined: all. */
export function wantedTypes({ events }: Pick<Receiver, 'events'>): readonly string[] | undefined {
  return events.includes('*') ? undefined : events
}
