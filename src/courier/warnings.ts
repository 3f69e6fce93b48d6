import type { Config } from '../config/schema/schema.ts'
import { parseSmtpUri } from './channels/smtp-uri.ts'

/** A finding for the operator at start, with the key that it is about. */
export interface CourierWarning {
  keys: string[]
  message: string
}

/** @param sends whether this process sends messages @param dev development mode, which needs no mail server */
export function courierWarnings({ courier, selfservice }: Config, sends: boolean, dev: boolean): CourierWarning[] {
  const { flows, methods } = selfservice
  const asked = flows.recovery.enabled || flows.verification.enabled
  const byCode = methods.code.passwordless_enabled || methods.code.mfa_enabled
  if (!asked && !byCode) return []
  const warnings: CourierWarning[] = []
  const warn = (key: string, message: string) => warnings.push({ keys: [key], message })
  if (!sends)
    warn('courier', 'messages are queued and this process sends none: add --watch-courier or run `courier watch`')
  if (courier.delivery_strategy === 'http') {
    if (courier.http.request_config?.url === undefined)
      warn('courier.http.request_config', 'delivery_strategy is http, and no url says where to: no mail can be sent')
    return warnings
  }
  const { connection_uri: uri, client_cert_path: cert, client_key_path: key } = courier.smtp
  if ((cert === '') !== (key === ''))
    warn('courier.smtp', 'client_cert_path and client_key_path belong together: one alone is not used')
  if (uri === undefined) {
    if (!dev) warn('courier.smtp.connection_uri', 'there is no mail server: no mail can be sent')
    return warnings
  }
  try {
    parseSmtpUri(uri)
  } catch (error) {
    warn('courier.smtp.connection_uri', `no mail can be sent: ${(error as Error).message}`)
  }
  return warnings
}
