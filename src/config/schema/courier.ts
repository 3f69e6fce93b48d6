import { z } from 'zod'
import { duration, key, openSection, section, sensitive, stringMap, uri } from './fields.ts'
import { auth } from './hooks.ts'

const body = z.strictObject({ plaintext: uri().optional(), html: uri().optional() })
const email = z.strictObject({ body: body.optional(), subject: uri().optional() })
const sms = z.strictObject({ body: z.strictObject({ plaintext: uri().optional() }).optional() })
const messages = z.strictObject({
  invalid: z.strictObject({ email }).optional(),
  valid: z.strictObject({ email, sms: sms.optional() }).optional(),
})
const codeMessages = messages.omit({ invalid: true })

const request = z.strictObject({
  url: z
    .string()
    .regex(/^https?:\/\//)
    .optional(),
  method: z.string().default('POST'),
  headers: sensitive(stringMap()).optional(),
  body: uri().optional(),
  auth: sensitive(auth).optional(),
})

/** How messages to people leave. */
export const courier = section({
  smtp: section({
    connection_uri: key(
      sensitive(z.string().regex(/^smtps?:\/\/.*/)).optional(),
      'Mail server: `smtps://user:password@host:465/` (TLS) or `smtp://…` (STARTTLS, demanded unless `?disable_starttls=true`); `?skip_ssl_verify=true`, `?server_name=`. Ports: 465 and 587.',
    ),
    from_address: key(z.string().default('no-reply@ory.kratos.sh'), 'Sender address.'),
    from_name: key(z.string().optional(), 'Sender name.'),
    headers: key(sensitive(stringMap()).optional(), 'Additional mail headers.'),
    client_cert_path: key(z.string().default(''), 'Client certificate.'),
    client_key_path: key(z.string().default(''), 'Key of the client certificate.'),
    local_name: key(
      z.string().optional(),
      'Name in the greeting (EHLO); unset: the host of `serve.public.base_url`. Many mail servers refuse `localhost`, which is what Kratos says.',
    ),
  }),
  delivery_strategy: key(z.enum(['smtp', 'http']).default('smtp'), 'How messages leave.'),
  http: section({
    request_config: key(request.optional(), 'HTTP request that carries a mail with `delivery_strategy: http`.'),
  }),
  channels: key(
    z
      .array(z.strictObject({ id: z.literal('sms'), type: z.literal('http').optional(), request_config: request }))
      .default([]),
    'Further ways to send, only `sms` over `http`.',
  ),
  templates: key(
    z
      .strictObject({
        recovery: messages,
        recovery_code: messages,
        verification: messages,
        verification_code: messages,
        registration_code: codeMessages,
        login_code: codeMessages,
      })
      .partial()
      .optional(),
    'Own texts of messages, in the language of Go templates, each at an address of its own.',
  ),
  template_override_path: key(
    z.string().optional(),
    'Folder with own texts: `recovery_code/valid/email.subject.gotmpl` and so on; an address in `templates` wins.',
  ),
  message_retries: key(z.int().default(5), 'Further tries after the first, before a message is abandoned.'),
  worker: openSection({
    pull_count: key(z.int().default(10), 'Messages taken at a time.'),
    pull_wait: key(duration().prefault('1s'), 'Pause between two looks for messages.'),
  }),
})
