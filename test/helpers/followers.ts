import assert from 'node:assert/strict'
import { get } from 'node:http'
import { json } from 'node:stream/consumers'
import type { TestServer } from './server.ts'
import { EventStreamClient, type Message } from './sse.ts'

type Node = Pick<TestServer, 'adminUrl'>

/** A place such as `0f5f8a5e.4711`. */
export function placeOf(text: string): { epoch: string; seq: number } {
  const [epoch, seq] = text.split('.')
  return { epoch: epoch!, seq: Number(seq) }
}

/** Places of one epoch, since the server is the same all the time, each no lower than the one before. */
export function neverBack(places: readonly string[]): void {
  const parsed = places.map(placeOf)
  assert.equal(new Set(parsed.map(({ epoch }) => epoch)).size, 1)
  parsed.forEach(({ seq }, index) => {
    assert.ok(index === 0 || seq >= parsed[index - 1]!.seq, `${places[index - 1]} was followed by ${places[index]}`)
  })
}

/** Reads the stream of one node after another, as a browser behind a balancer does, and remembers what it was told. */
export class StreamFollower {
  readonly told: Message[] = []
  /** the places that it was given, of events and of signs of life */
  readonly places: string[] = []
  #client: EventStreamClient | undefined
  #reading: Promise<void> = Promise.resolve()

  /** @param after where the first stream begins */
  async connect({ adminUrl }: Node, after?: string): Promise<void> {
    const last = this.place
    const query = last === undefined && after !== undefined ? `?after=${after}` : ''
    const client = await EventStreamClient.open(
      `${adminUrl}/admin/events/stream${query}`,
      last === undefined ? {} : { 'last-event-id': last },
    )
    if (client.response.statusCode !== 200)
      throw new Error(`the stream was answered with ${client.response.statusCode}`)
    this.#client = client
    this.#reading = this.#read(client).catch(() => {})
  }

  async #read(client: EventStreamClient): Promise<void> {
    for (;;) {
      const message = await client.next()
      this.#note()
      if (message === undefined) return
      this.told.push(message)
    }
  }

  async disconnect(): Promise<void> {
    this.#client?.close()
    await this.#reading
    this.#note()
  }

  /** Also that of a stream that has told nothing yet. */
  get place(): string | undefined {
    this.#note()
    return this.places.at(-1)
  }

  #note(): void {
    const id = this.#client?.lastId ?? ''
    if (id !== '' && id !== this.places.at(-1)) this.places.push(id)
  }

  get events() {
    return this.told.filter(({ event }) => event !== 'gap').map(({ data }) => data)
  }
}

export interface ListAnswer {
  cursor: string
  reset: boolean
  completeUpTo: number
  behindMs: number
  sessions: string[]
}

/** Asks one node after another what has ended since. */
export class ListFollower {
  readonly answers: ListAnswer[] = []
  readonly ended = new Set<string>()

  async ask({ adminUrl }: Node): Promise<ListAnswer> {
    const after = this.answers.at(-1)?.cursor
    const list = await getOnce(`${adminUrl}/admin/sessions/revocations${after === undefined ? '' : `?after=${after}`}`)
    const sessions = list.sessions.map(({ id }: { id: string }) => id)
    if (list.reset) this.ended.clear()
    for (const id of sessions) this.ended.add(id)
    const { cursor, reset, behind_ms: behindMs } = list
    const got = { cursor, reset, behindMs, completeUpTo: Date.parse(list.complete_up_to), sessions }
    this.answers.push(got)
    return got
  }
}

/** Over a connection of its own: one that `fetch` keeps open would keep a stopping node waiting for a minute. */
function getOnce(url: string): Promise<any> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      if (response.statusCode === 200) return json(response).then(resolve, reject)
      response.resume()
      reject(new Error(`the list was answered with ${response.statusCode}`))
    }).on('error', reject)
  })
}
