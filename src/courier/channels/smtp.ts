import { readFile } from 'node:fs/promises'
import { isIPv4 } from 'node:net'
import type { NodemailerError } from 'nodemailer/lib/errors'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { Config } from '../../config/schema/schema.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import type { AccessTokens } from './access-tokens.ts'
import { type Attempt, failed, type Sender } from './channel.ts'
import { mailAddress, mimeMessage } from './mail.ts'
import { type SignInSettings, signIn, withoutSecrets } from './sign-in.ts'
import { parseSmtpUri, type SmtpServer } from './smtp-uri.ts'

type Settings = Config['courier']['smtp']

/** For the connection, and for each step of the dialog. */
const STEP_MS = 10_000
/** For a whole try. */
export const SMTP_TRY_MS = 60_000
/** For the goodbye after a mail was taken. */
const GOODBYE_MS = 2000
const PASSWORD_WANTED = 530
const TOO_LARGE = 552

export interface SmtpSenderDeps {
  settings(): Settings
  /** of this server, for the greeting; undefined where it has none */
  hostname(): string | undefined
  clock: Clock
  /** undefined: sign-in is by password */
  tokens(): AccessTokens | undefined
}

/** Sends mail over SMTP, one connection a message, so that a broken connection affects no other message. */
export function createSmtpSender(d: SmtpSenderDeps): Sender {
  return {
    async send(message) {
      const settings = d.settings()
      try {
        const server = parseSmtpUri(settings.connection_uri ?? '')
        const to = mailAddress(message.recipient)
        const from = mailAddress(settings.from_address)
        if (from === undefined) return failed('courier.smtp.from_address is no address')
        if (to === undefined) return failed('the recipient is no address of mail', 'refused')
        const { from_name: fromName, headers = {} } = settings
        const date = new Date(d.clock.now() / 1000)
        const mail = await mimeMessage(message, to, { from, fromName, headers, date })
        const options = await optionsOf(server, settings, d.hostname())
        return await deliver({ ...server, tokens: d.tokens() }, options, { from, to, mail })
      } catch (error) {
        return failed(`courier.smtp: ${(error as Error).message}`)
      }
    },
  }
}

/**
 * An address stands in brackets. Relays refuse `localhost`: the library then takes the name of the machine, or an address.
 * @see https://www.rfc-editor.org/rfc/rfc5321#section-4.1.3
 */
function greetingName(hostname: string | undefined): string | undefined {
  if (hostname === undefined || /^localhost\.?$/i.test(hostname)) return undefined
  if (hostname.startsWith('[')) return `[IPv6:${hostname.slice(1)}`
  return isIPv4(hostname) ? `[${hostname}]` : hostname
}

async function optionsOf(server: SmtpServer, settings: Settings, hostname: string | undefined) {
  const name = settings.local_name ?? greetingName(hostname)
  return {
    host: server.host,
    port: server.port,
    secure: server.implicitTls,
    requireTLS: server.demandStartTls,
    ...(name === undefined ? {} : { name }),
    connectionTimeout: STEP_MS,
    greetingTimeout: STEP_MS,
    socketTimeout: STEP_MS,
    dnsTimeout: STEP_MS,
    socketCloseTimeout: 0,
    maxResponseSize: 64 * 1024,
    tls: {
      minVersion: 'TLSv1.2' as const,
      rejectUnauthorized: server.verifyCertificate,
      ...(server.serverName === undefined ? {} : { servername: server.serverName }),
      ...(await clientCertificate(settings)),
    },
  }
}

async function clientCertificate({ client_cert_path: certPath, client_key_path: keyPath }: Settings) {
  if (certPath === '' || keyPath === '') return {}
  const read = (path: string, name: string) =>
    readFile(path).catch((error: NodeJS.ErrnoException): never => {
      throw new Error(`${name}: ${path} cannot be read (${error.code})`)
    })
  return { cert: await read(certPath, 'client_cert_path'), key: await read(keyPath, 'client_key_path') }
}

interface Envelope {
  from: string
  to: string
  mail: Buffer
}

function deliver(server: SignInSettings, options: object, envelope: Envelope): Promise<Attempt> {
  const connection = new SMTPConnection(options)
  return new Promise((resolve) => {
    const deadline = setTimeout(() => settle(failed(`not done within ${SMTP_TRY_MS / 1000} s`)), SMTP_TRY_MS)
    function settle(attempt: Attempt): void {
      clearTimeout(deadline)
      if (attempt.result === 'sent') leave(connection)
      else connection.close()
      resolve(attempt)
    }
    const secrets: string[] = []
    const fail = (error: NodemailerError) => settle(judge(error, withoutSecrets(error.message, secrets)))
    connection.on('error', fail)
    connection.connect((error) => {
      if (error) return fail(error)
      signIn(connection, server, secrets, (refused) => {
        if (refused) return fail(refused)
        const { from, to, mail } = envelope
        if (/[^\x20-\x7e]/.test(to) && !extensions(connection).includes('SMTPUTF8'))
          return settle(failed('the server takes no addresses beyond ASCII (SMTPUTF8)', 'refused'))
        connection.send({ from, to, use8BitMime: true, size: mail.length }, mail, (refusal) => {
          if (refusal) return fail(refusal)
          settle({ result: 'sent' })
        })
      })
    })
  })
}

/** The mail is taken already: a server that goes on talking instead of closing must not keep the connection. */
function leave(connection: SMTPConnection): void {
  const timer = setTimeout(() => connection.close(), GOODBYE_MS).unref()
  connection.once('end', () => clearTimeout(timer))
  connection.quit()
}

/** The extensions that the server announced; the library has no public way to read them. */
const extensions = (connection: SMTPConnection): readonly string[] =>
  (connection as unknown as { _supportedExtensions?: string[] })._supportedExtensions ?? []

/**
 * A reply to the recipient or the text is about the message. One to the sender, or to the password, would be the
 * same for every message: no tries are used up while it lasts.
 */
function judge({ code, responseCode, command = '', permanent }: NodemailerError, message: string): Attempt {
  const ofSender = permanent && command === 'MAIL FROM' && responseCode !== TOO_LARGE
  if (code === 'EAUTH' || responseCode === PASSWORD_WANTED || ofSender) return failed(message, 'closed', responseCode)
  const ofMessage = /^(MAIL FROM|RCPT TO|DATA)$/.test(command)
  const attempt = failed(message, permanent && ofMessage ? 'refused' : 'failed', responseCode)
  return permanent && command === 'RCPT TO' ? { ...attempt, noSuchRecipient: true } : attempt
}
