import { z } from 'zod'
import { duration, key, openSection, section, sensitive, stringMap, uri } from './fields.ts'

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
  auth: sensitive(z.looseObject({ type: z.enum(['basic_auth', 'api_key']) })).optional(),
})

/** No message is sent yet, so all of this is checked and kept, and used by nothing. */
export const courier = section({
  smtp: section({
    connection_uri: key(sensitive(z.string().regex(/^smtps?:\/\/.*/)).optional(), 'Mail server.', 'B'),
    from_address: key(z.string().default('no-reply@ory.kratos.sh'), 'Sender address.', 'B'),
    from_name: key(z.string().optional(), 'Sender name.', 'B'),
    headers: key(sensitive(stringMap()).optional(), 'Additional mail headers.', 'B'),
    client_cert_path: key(z.string().default(''), 'Client certificate.', 'B'),
    client_key_path: key(z.string().default(''), 'Key of the client certificate.', 'B'),
    local_name: key(z.string().default('localhost'), 'Name in the greeting.', 'B'),
  }),
  delivery_strategy: key(z.enum(['smtp', 'http']).default('smtp'), 'How messages leave.', 'B'),
  http: section({ request_config: key(request.optional(), 'HTTP request that would carry a message.', 'B') }),
  channels: key(
    z
      .array(z.strictObject({ id: z.literal('sms'), type: z.literal('http').optional(), request_config: request }))
      .default([]),
    'Further ways to send, only `sms` over `http`.',
    'B',
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
    'Own texts of messages.',
    'B',
  ),
  template_override_path: key(z.string().optional(), 'Folder with own texts.', 'B'),
  message_retries: key(z.int().default(5), 'Tries before a message is given up.', 'B'),
  worker: openSection({
    pull_count: key(z.int().default(10), 'Messages taken at a time.', 'B'),
    pull_wait: key(duration().prefault('1s'), 'Pause between two looks for messages.', 'B'),
  }),
})
