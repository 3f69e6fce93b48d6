/** The settings in `courier.smtp.connection_uri`. */
export interface SmtpServer {
  host: string
  port: number
  /** TLS from the start; else STARTTLS */
  implicitTls: boolean
  /** without STARTTLS nothing is sent */
  demandStartTls: boolean
  verifyCertificate: boolean
  /** name that the certificate must have, instead of the host */
  serverName: string | undefined
  login: { user: string; password: string } | undefined
}

/** Submission with STARTTLS, and with TLS from the start. @see RFC 8314 */
const PORTS = { 'smtp:': 587, 'smtps:': 465 } as const

/**
 * Parses the address of a mail server. `disable_starttls=true` only makes TLS optional: with a server that offers it, TLS is
 * still used, and its certificate must be valid, as with Kratos.
 * @throws Error that says what is wrong, without the password
 */
export function parseSmtpUri(uri: string): SmtpServer {
  let url: URL
  try {
    url = new URL(uri)
  } catch {
    throw new Error('it is no URI such as smtps://user:password@host:465/')
  }
  const { protocol } = url
  if (protocol !== 'smtp:' && protocol !== 'smtps:') throw new Error('it begins neither with smtp:// nor with smtps://')
  if (url.hostname === '') throw new Error('it names no host')
  const flag = (name: string) => url.searchParams.get(name) === 'true'
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? PORTS[protocol] : Number(url.port),
    implicitTls: protocol === 'smtps:',
    demandStartTls: protocol === 'smtp:' && !flag('disable_starttls'),
    verifyCertificate: !flag('skip_ssl_verify'),
    serverName: url.searchParams.get('server_name') || undefined,
    login: url.username === '' ? undefined : { user: decoded(url.username), password: decoded(url.password) },
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error('user or password holds a percent sign that is not part of a code such as %40')
  }
}
