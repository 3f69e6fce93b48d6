import net from 'node:net'

/** One connection of HTTP/1.1, one request at a time. Much cheaper than a client that knows everything. */
export class Connection {
  private readonly socket: net.Socket
  private buffer = ''
  private waiting: ((answer: string) => void) | undefined
  private failure: string | undefined

  constructor(host: string, port: number) {
    this.socket = net.connect({ host, port, noDelay: true })
    this.socket.setEncoding('latin1')
    this.socket.on('data', (part) => this.take(String(part)))
    this.socket.on('error', (error) => this.fail(`error ${error.message}`))
    this.socket.on('close', () => this.fail('closed'))
  }

  /** @returns the whole answer, of which a chunked body is put together; `error …` or `closed` when there is none */
  request(text: string): Promise<string> {
    return new Promise((resolve) => {
      if (this.failure !== undefined) return resolve(this.failure)
      this.waiting = resolve
      this.socket.write(text, 'latin1')
    })
  }

  close(): void {
    this.waiting = undefined
    this.socket.destroy()
  }

  private fail(why: string): void {
    this.failure ??= why
    this.waiting?.(this.failure)
    this.waiting = undefined
  }

  private take(part: string): void {
    this.buffer += part
    const found = takeAnswer(this.buffer)
    if (found === undefined) return
    this.buffer = this.buffer.slice(found.end)
    const done = this.waiting
    this.waiting = undefined
    done?.(found.answer)
  }
}

/** The first whole answer in what has arrived, and where it ends. */
export function takeAnswer(buffer: string): { answer: string; end: number } | undefined {
  const headEnd = buffer.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = buffer.slice(0, headEnd + 4)
  if (/\r\ntransfer-encoding: chunked\r\n/i.test(head)) return takeChunks(buffer, head)
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)
  const end = head.length + (length ? Number(length[1]) : 0)
  return buffer.length < end ? undefined : { answer: buffer.slice(0, end), end }
}

function takeChunks(buffer: string, head: string): { answer: string; end: number } | undefined {
  let body = ''
  let at = head.length
  for (;;) {
    const line = buffer.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(buffer.slice(at, line), 16)
    const end = line + 2 + size + 2
    if (buffer.length < end) return undefined
    if (size === 0) return { answer: head + body, end }
    body += buffer.slice(line + 2, end - 2)
    at = end
  }
}
