import { type Ended, type RevocationAnswer, seqOf } from './ended.ts'

export interface FollowOptions {
  ended: Ended
  /** URL of `/sessions/revocations` */
  revocations: string
  /** URL of `/admin/events/stream`; undefined: only polling */
  stream: string | undefined
  headers: Record<string, string>
  pollMs: number
  timeoutMs: number
  fetch: typeof fetch
  /** milliseconds since 1970 */
  now(): number
  /** milliseconds that go on while the clock of the machine is set back */
  steadyNow(): number
  onError(error: Error): void
}

export interface Following {
  /** Resolves after the first try, also when it failed. */
  first: Promise<void>
  /** up to when the list of ended sessions is complete, by `steadyNow`: never later than the server says */
  knownAt(): number
  cursor(): string
  stop(): void
}

/** How long a stream may be silent: the server gives a heartbeat every 15 s. */
const SILENCE_MS = 45_000
const AGAIN_MS = 1000
/** Characters of one event. */
const MAX_EVENT = 1024 * 1024

/**
 * Polls for what is new: the answer proves that nothing is missing up to the time it names, which is
 * earlier than the question while a transaction still writes, or when the server itself is behind. A stream brings the same
 * sooner; repeated or out of order, its events do no harm.
 */
export function follow(o: FollowOptions): Following {
  const stop = new AbortController()
  let knownAt = Number.NEGATIVE_INFINITY
  let cursor = ''
  let epoch: string | undefined

  async function poll(): Promise<void> {
    // a list that replaces everything is used once it is complete: until then the old one keeps sessions out
    let whole: RevocationAnswer[] | undefined
    for (let after = cursor, more = true; more; ) {
      const started = o.steadyNow()
      const list = await ask(after)
      if (after === '' || list.reset === true || isSetBack(list)) whole = []
      more = list.more
      if (more && String(list.cursor) === after) throw new Error('the list of ended sessions does not go on')
      after = String(list.cursor)
      if (whole !== undefined) whole.push(list)
      if (whole !== undefined && more) continue
      if (whole !== undefined) o.ended.replace(whole, o.now())
      else {
        if (list.epoch !== epoch) o.ended.forgetOtherEpochs(list.epoch, seqOf(cursor))
        o.ended.addList(list, o.now())
      }
      cursor = after
      epoch = list.epoch
      if (more) continue
      const at = started - Math.max(0, list.behind_ms ?? 0)
      knownAt = whole === undefined ? Math.max(knownAt, at) : at
    }
  }

  async function ask(after: string): Promise<RevocationAnswer> {
    const url = new URL(o.revocations)
    if (after !== '') url.searchParams.set('after', after)
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(o.timeoutMs)])
    const headers = { ...o.headers, accept: 'application/json' }
    const answer = await o.fetch(url, { headers, redirect: 'error', signal })
    // a server of an earlier release, which does not know this form of positions
    if (answer.status === 400 && after !== '') return { ...(await ask('')), reset: true }
    if (!answer.ok) throw new Error(`the list of ended sessions was answered with status ${answer.status}`)
    const list: unknown = await answer.json()
    if (!isList(list)) throw new Error('what was answered is not a list of ended sessions')
    return list
  }

  /** A server that knows no epochs shows a restored log only by its lower number. */
  const isSetBack = (list: RevocationAnswer) =>
    list.epoch === undefined && (epoch !== undefined || Number(list.cursor) < seqOf(cursor))

  async function pollOn(): Promise<void> {
    while (!stop.signal.aborted) {
      await pause(o.pollMs, stop.signal)
      if (!stop.signal.aborted) await poll().catch(told)
    }
  }

  async function streamOn(url: string): Promise<void> {
    while (!stop.signal.aborted) {
      await readStream(url).catch(told)
      await pause(AGAIN_MS, stop.signal)
    }
  }

  async function readStream(base: string): Promise<void> {
    const url = new URL(base)
    url.searchParams.set('type', 'session.ended,session.resumed')
    if (cursor !== '') url.searchParams.set('after', cursor)
    const silence = new AbortController()
    const signal = AbortSignal.any([stop.signal, silence.signal])
    let timer = setTimeout(() => silence.abort(), SILENCE_MS)
    try {
      const answer = await o.fetch(url, { headers: o.headers, redirect: 'error', signal })
      if (!answer.ok || answer.body === null) throw new Error(`the stream was answered with status ${answer.status}`)
      const decoder = new TextDecoder()
      let rest = ''
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        clearTimeout(timer)
        timer = setTimeout(() => silence.abort(), SILENCE_MS)
        const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
        rest = blocks.pop()!
        if (rest.length > MAX_EVENT) throw new Error(`an event of the stream is larger than ${MAX_EVENT} characters`)
        for (const block of blocks) {
          const data = /^data: ?(.*)$/m.exec(block)?.[1]
          if (data === undefined || !/^event: ?session\./m.test(block)) continue
          o.ended.addEvent(JSON.parse(data), /^id: ?(\w{8})\./m.exec(block)?.[1], epoch)
        }
      }
    } finally {
      clearTimeout(timer)
    }
  }

  function told(error: Error): void {
    if (!stop.signal.aborted) o.onError(error)
  }

  const first = poll().catch(told)
  void first.then(() => {
    void pollOn()
    if (o.stream !== undefined) void streamOn(o.stream)
  })
  return { first, knownAt: () => knownAt, cursor: () => cursor, stop: () => stop.abort() }
}

/** Checked whole before it is used: a list that fails half-way would have replaced a good one by less. */
function isList(value: unknown): value is RevocationAnswer {
  const list = value as RevocationAnswer | null
  const entries = [list?.sessions, list?.identities, list?.resumed]
  return (
    Number.isSafeInteger(seqOf(list?.cursor ?? '?')) &&
    Number.isFinite(list?.window_seconds) &&
    entries.every((each) => Array.isArray(each) && each.every((one) => typeof one?.id === 'string'))
  )
}

/** Does not keep the process alive. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    timer.unref()
    signal.addEventListener('abort', done)
  })
}
