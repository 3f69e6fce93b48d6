import { createClient, endpointOf } from '../kit/client.ts'
import { Failure } from '../kit/errors.ts'
import { type Io, print } from '../kit/io.ts'
import { type FormatOptions, writeFormatted } from '../kit/output.ts'
import { readMessages } from './sse.ts'

interface Options extends FormatOptions {
  endpoint?: string
  follow?: boolean
  lines: string
  type?: string
  cause?: string
  session?: string
  identity?: string
}

interface Event {
  id: string
  seq: number
  time: string
  type: string
  cause: string | null
  session_id: string | null
  identity_id: string | null
}

const PAUSE_MS = 1000

/** @throws Failure when the server refuses, or is away and nothing was shown yet */
export async function tailEvents(io: Io, options: Options): Promise<void> {
  const client = createClient(io, endpointOf(io, options.endpoint))
  if (!/^\d{1,4}$/.test(options.lines) || Number(options.lines) > 1000) {
    throw new Failure('--lines must be a number from 0 to 1000')
  }
  const query = new URLSearchParams()
  for (const [name, value] of [
    ['type', options.type],
    ['cause', options.cause],
    ['session_id', options.session],
    ['identity_id', options.identity],
  ] as const) {
    if (value !== undefined) query.set(name, value)
  }
  if (options.follow) return follow(io, client, query, options)
  if (options.lines === '0') return
  query.set('page_size', options.lines)
  const { body } = await client.call('GET', `/admin/events?${query}`)
  const events = (body as Event[]).reverse()
  const head = ['TIME', 'EVENT', 'CAUSE', 'SESSION', 'IDENTITY']
  writeFormatted(io, options, { value: events, table: [head, ...events.map(cells)], ids: events.map(({ id }) => id) })
}

/** One line an event: columns, a JSON object (any other format), or with -q its id. */
async function follow(
  io: Io,
  client: ReturnType<typeof createClient>,
  query: URLSearchParams,
  { lines, quiet, format = 'table' }: Options,
): Promise<void> {
  const line = (event: Event) => {
    if (quiet) return event.id
    return format === 'table' ? cells(event).join('\t') : JSON.stringify(event)
  }
  const stop = new AbortController()
  const stopping = io.stopRequested().then(() => stop.abort())
  let position: string | undefined
  while (!stop.signal.aborted) {
    const start = position === undefined ? `last=${lines}` : `after=${position}`
    try {
      const body = await client.stream(`/admin/events/stream?${query}${query.size > 0 ? '&' : ''}${start}`, stop.signal)
      for await (const message of readMessages(body)) {
        position = message.id || position
        if (message.event === 'gap') print(io.stderr, 'Some events are missing: they were past their retention.')
        else if (message.data !== undefined) print(io.stdout, line(JSON.parse(message.data)))
      }
    } catch (error) {
      if (stop.signal.aborted) break
      if (position === undefined) throw error
      print(io.stderr, `${(error as Error).message}; connecting again`)
    }
    await Promise.race([io.sleep(PAUSE_MS), stopping])
  }
}

const cells = (event: Event) => [
  event.time,
  event.type,
  event.cause ?? '',
  event.session_id ?? '',
  event.identity_id ?? '',
]
