import type { Config } from '../../config/schema/schema.ts'
import { stringifyJson } from '../../kernel/base/exact-json.ts'
import { createPrograms } from '../../kernel/jsonnet/programs.ts'
import { authHeaders } from '../../kernel/outbound/auth.ts'
import { exchange } from '../../kernel/outbound/client.ts'
import type { AddressRules } from '../../kernel/outbound/guard.ts'
import { loadText } from '../../kernel/outbound/load.ts'
import { failed, type Outgoing, type Sender } from './channel.ts'

export type RequestConfig = NonNullable<Config['courier']['http']['request_config']>

export const HTTP_TRY_MS = 10_000
/** Only the status of an answer counts. */
const MAX_ANSWER_BYTES = 16 * 1024

export interface HttpSenderDeps {
  /** undefined: the channel is not configured */
  request(): RequestConfig | undefined
  rules(): AddressRules
  /** where relative `file://` addresses begin */
  cwd: string
}

/** Hands messages to a service over HTTP; any status from 200 to 299 means that it has accepted one. */
export function createHttpSender(d: HttpSenderDeps): Sender {
  const compiled = createPrograms('body')
  const fetched = new WeakMap<RequestConfig, Promise<string>>()

  /** A file is read for each message. The text of another server is kept until a reload, which brings another object. */
  function textOf(config: RequestConfig, url: string): Promise<string> {
    const load = () => loadText(url, { cwd: d.cwd, tries: 1, ...d.rules() })
    if (!/^https?:/i.test(url)) return load()
    const known = fetched.get(config)
    if (known) return known
    const loading = load()
    // a failed read is repeated with the next message
    loading.catch(() => fetched.delete(config))
    fetched.set(config, loading)
    return loading
  }

  return {
    async send(message) {
      const config = d.request()
      if (!config?.url) return failed('this channel is not configured')
      try {
        const body =
          config.body === undefined
            ? defaultBody(message)
            : compiled(await textOf(config, config.body)).run({ tlaCodes: { ctx: stringifyJson(context(message)) } })
        const request = {
          method: config.method,
          url: config.url,
          headers: {
            'content-type': 'application/json',
            'user-agent': 'Lethe',
            // lets a service recognise a message that it has accepted already, if its answer was lost
            'idempotency-key': message.id,
            ...lowerCased(config.headers ?? {}),
            ...authHeaders(config.auth),
          },
          body,
          timeoutMs: HTTP_TRY_MS,
          maxBytes: MAX_ANSWER_BYTES,
        }
        const { status } = await exchange(request, d.rules())
        if (status >= 200 && status < 300) return { result: 'sent' }
        return failed(`the service answered with status ${status}`, 'failed', status)
      } catch (error) {
        return failed((error as Error).message)
      }
    },
  }
}

/** `ctx` of a body in Jsonnet. */
function context(message: Outgoing) {
  const { recipient, subject, body, html, template, channel, data, requestHeaders } = message
  return {
    recipient,
    subject,
    body,
    ...(html === undefined ? {} : { html_body: html }),
    template_type: template,
    message_type: channel,
    template_data: data,
    request_headers: requestHeaders,
  }
}

function defaultBody({ recipient, template, subject, body, data }: Outgoing): string {
  const { to, recovery_code, recovery_url, verification_url, verification_code } = data
  const members = { to, recovery_code, recovery_url, verification_url, verification_code }
  const given = Object.fromEntries(Object.entries(members).map(([name, value]) => [name, value ?? null]))
  return stringifyJson({ recipient, template_type: template, ...given, subject, body })
}

const lowerCased = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
