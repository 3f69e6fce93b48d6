import type { NodemailerError } from 'nodemailer/lib/errors'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import { isLoopback } from '../../config/listen-host.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { SmtpServer } from './smtp-uri.ts'

export interface SignInSettings extends SmtpServer {
  /** undefined: sign-in is by password */
  tokens: AccessTokens | undefined
}

type Done = (error?: NodemailerError) => void

/** Replies to a login mechanism that a server offers and does not accept. */
const ANOTHER_WAY = [500, 502, 504, 534]

/**
 * Signs in at a mail server that has greeted.
 * @param secrets gets what is sent to prove it @param done with `code` `EAUTH` where it refuses all sign-ins
 */
export function signIn(connection: SMTPConnection, server: SignInSettings, secrets: string[], done: Done): void {
  if (server.tokens !== undefined) return byToken(connection, server, server.tokens, secrets, done)
  byPassword(connection, server, secrets, done)
}

/** Servers such as Sendmail repeat a command that they refuse, or its beginning, and refusals are logged and stored. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const whole = secrets.reduce((shown, secret) => shown.replaceAll(secret, '…'), text)
  return whole.replace(/[A-Za-z0-9+/=]{8,}/g, (run) => (secrets.some((secret) => secret.includes(run)) ? '…' : run))
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** No login where the server offers none, as with Kratos. One that refuses PLAIN may accept LOGIN. */
function byPassword(connection: SMTPConnection, { login }: SmtpServer, secrets: string[], done: Done): void {
  if (!login || !connection.allowsAuth) return done()
  const { user, password: pass } = login
  if (pass !== '') secrets.push(pass, base64(pass), base64(`\0${user}\0${pass}`))
  connection.login({ user, pass }, (error) => {
    const other = error && ANOTHER_WAY.includes(error.responseCode ?? 0) && error.command === 'AUTH PLAIN'
    if (!other) return done(error ?? undefined)
    connection.login({ user, pass, method: 'LOGIN' }, (second) => done(second ?? undefined))
  })
}

/** @see https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth */
function byToken(
  connection: SMTPConnection,
  { login, host }: SmtpServer,
  tokens: AccessTokens,
  secrets: string[],
  done: Done,
): void {
  const user = tokens.user ?? login?.user
  if (user === undefined)
    return done(refused('lethe.courier.smtp.oauth2 names no user, and courier.smtp.connection_uri neither'))
  if (!connection.allowsAuth) return done(refused('the server offers no sign-in'))
  if (!connection.secure && !isLoopback(host)) return done(refused('a token is not sent without TLS'))
  // the part of the library's class that it calls
  const oauth2 = {
    getToken(renew: boolean, callback: (error: Error | null, token?: string) => void): void {
      if (renew) tokens.forget()
      tokens.get().then((token) => callback(null, token), callback)
    },
    buildXOAuth2Token(token: string): string {
      const answer = base64(`user=${user}\u0001auth=Bearer ${token}\u0001\u0001`)
      secrets.push(token, answer)
      return answer
    },
  }
  connection.login({ user, oauth2 } as unknown as Parameters<SMTPConnection['login']>[0], (error) => {
    if (error) tokens.forget()
    done(error ?? undefined)
  })
}

const refused = (reason: string): NodemailerError => Object.assign(new Error(reason), { code: 'EAUTH' })
