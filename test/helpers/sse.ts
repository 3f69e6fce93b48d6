import { get, type IncomingMessage } from 'node:http'

export interface Message {
  id: string | undefined
  event: string
  data: any
}

/**
 * Reads a stream of Server-Sent Events message by message, over a connection of its own: the one that `fetch` would open
 * anew after a stream is given up keeps a stopping server waiting.
 */
export class EventStreamClient {
  readonly response: IncomingMessage
  /** the place that a browser would send as Last-Event-ID */
  lastId = ''
  /** everything so far, signs of life included */
  raw = ''
  readonly #messages: AsyncGenerator<Message>
  #closed = false

  static open(url: string, headers: Record<string, string> = {}): Promise<EventStreamClient> {
    return new Promise((resolve, reject) => {
      const request = get(url, { headers, agent: false }, (response) => resolve(new EventStreamClient(response)))
      request.on('error', reject)
    })
  }

  constructor(response: IncomingMessage) {
    this.response = response
    this.#messages = this.#read()
  }

  /** The next message; undefined when the server has ended the stream. */
  async next(): Promise<Message | undefined> {
    const { value, done } = await this.#messages.next()
    return done ? undefined : value
  }

  async take(count: number): Promise<Message[]> {
    const messages: Message[] = []
    while (messages.length < count) {
      const message = await this.next()
      if (!message) throw new Error(`the stream ended after ${messages.length} of ${count} messages`)
      messages.push(message)
    }
    return messages
  }

  close(): void {
    this.#closed = true
    this.response.destroy()
  }

  async *#read(): AsyncGenerator<Message> {
    const decoder = new TextDecoder()
    let rest = ''
    try {
      for await (const chunk of this.response as AsyncIterable<Uint8Array>) {
        const text = decoder.decode(chunk, { stream: true })
        this.raw += text
        const blocks = (rest + text).split('\n\n')
        rest = blocks.pop()!
        for (const block of blocks) {
          const message = this.#parse(block)
          if (message) yield message
        }
      }
    } catch (error) {
      if (!this.#closed) throw error
    }
  }

  #parse(block: string): Message | undefined {
    const lines = block.split('\n').map((line) => /^(\w+): ?(.*)$/.exec(line))
    const field = (name: string) => lines.find((line) => line?.[1] === name)?.[2]
    this.lastId = field('id') ?? this.lastId
    const data = field('data')
    return data === undefined
      ? undefined
      : { id: field('id'), event: field('event') ?? 'message', data: JSON.parse(data) }
  }
}
