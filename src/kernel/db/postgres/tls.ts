import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { DsnError, type TlsSettings } from './dsn.ts'

/**
 * The TLS options of Node for a mode of libpq, or undefined for a plain connection. As in libpq, `require` alone encrypts
 * without checking the server, and with a root certificate it checks the chain (like `verify-ca`).
 *
 * @throws DsnError when a file cannot be read
 * @see https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION
 */
export function tlsOptions(tls: TlsSettings, host: string | undefined): ConnectionOptions | undefined {
  if (tls.mode === 'disable' || host?.startsWith('/')) return undefined
  if ((tls.cert === undefined) !== (tls.key === undefined)) throw new DsnError('sslcert and sslkey belong together')
  const options: ConnectionOptions = {
    rejectUnauthorized: tls.mode.startsWith('verify-') || (tls.mode === 'require' && tls.rootCert !== undefined),
  }
  if (tls.mode !== 'verify-full' && tls.rootCert !== 'system') options.checkServerIdentity = () => undefined
  if (tls.rootCert !== undefined && tls.rootCert !== 'system') options.ca = read('sslrootcert', tls.rootCert)
  if (tls.cert !== undefined) options.cert = read('sslcert', tls.cert)
  if (tls.key !== undefined) options.key = read('sslkey', tls.key)
  if (tls.keyPassword !== undefined) options.passphrase = tls.keyPassword
  return options
}

function read(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new DsnError(`${name}: the file ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}
