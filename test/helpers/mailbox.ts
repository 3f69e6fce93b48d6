import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { Scope } from './db.ts'

export interface ReceivedMail {
  from: string
  to: string
  /** as it came over the wire */
  raw: string
  /** unfolded, by lower-case name */
  headers: Map<string, string>
  user: string | undefined
  secure: boolean
  /** word of the greeting */
  ehlo: string
}

export interface Mailbox {
  port: number
  mails: ReceivedMail[]
  /** recipients asked for, also those that were refused */
  asked: string[]
  /** connections that were opened so far */
  connections(): number
  /** connections that are open */
  open(): number
  close(): Promise<void>
}

export interface MailboxOptions extends SMTPServerOptions {
  /** @returns code and text of a refusal, or nothing */
  refuse?(recipient: string, times: number): [code: number, text: string] | undefined
  /** awaited before a mail is accepted */
  hold?(mail: ReceivedMail): Promise<void>
  port?: number
}

/** A mail server on the loopback that keeps what it is sent. Without options: no TLS, no sign-in. */
export async function mailbox(t: Scope, { refuse, hold, port = 0, ...options }: MailboxOptions = {}): Promise<Mailbox> {
  const [mails, asked]: [ReceivedMail[], string[]] = [[], []]
  let [connections, open] = [0, 0]
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    ...options,
    onConnect(_session, done) {
      connections += 1
      open += 1
      done()
    },
    onClose() {
      open -= 1
    },
    onRcptTo({ address }, _session, done) {
      asked.push(address)
      const refusal = refuse?.(address, asked.filter((one) => one === address).length)
      done(refusal ? Object.assign(new Error(refusal[1]), { responseCode: refusal[0] }) : undefined)
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', async () => {
        const raw = Buffer.concat(chunks).toString('latin1')
        const { mailFrom, rcptTo } = session.envelope
        const mail = {
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo[0]?.address ?? '',
          raw,
          headers: headersOf(raw),
          user: session.user,
          secure: session.secure,
          ehlo: session.hostNameAppearsAs,
        }
        await hold?.(mail)
        mails.push(mail)
        done()
      })
    },
  })
  // what a client cuts off is its own affair
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
  t.after(close)
  const address = server.server.address() as AddressInfo
  return { port: address.port, mails, asked, connections: () => connections, open: () => open, close }
}

function headersOf(raw: string): Map<string, string> {
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ')
  return new Map(
    head.split('\r\n').map((line) => {
      const at = line.indexOf(':')
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]
    }),
  )
}

export const randomAddress = () => `u${randomBytes(6).toString('hex')}@example.com`
