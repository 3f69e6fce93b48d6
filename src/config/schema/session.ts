import { z } from 'zod'
import { byteSize, duration, integer, key, openSection, section, sensitive, unique, uri } from './fields.ts'

const sameSite = () => z.enum(['Strict', 'Lax', 'None'])
// The values below are written into Set-Cookie: a semicolon or a line break would add attributes or headers.
const attribute = () => z.string().regex(/^[^;\p{Cc}]*$/u)
const cookieName = () => z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/)
const SECURE_RULE =
  'A text, not a boolean: `1 t T TRUE true True` mean yes, anything else no. Unset: yes, except in dev mode.'

export const session = section({
  lifespan: key(duration().prefault('24h'), 'How long a session stays active after login.'),
  earliest_possible_extend: key(
    duration().optional(),
    'A session is extended only when less than this is left of it. Unset: always.',
  ),
  cookie: section({
    name: key(cookieName().default('ory_kratos_session'), 'Name of the session cookie.'),
    domain: key(attribute().optional(), 'Domain of the session cookie; unset: `cookies.domain`.'),
    path: key(attribute().optional(), 'Path of the session cookie; unset: `cookies.path`.'),
    same_site: key(sameSite().optional(), 'SameSite of the session cookie; unset: `cookies.same_site`.'),
    secure: key(
      z.string().optional(),
      `Secure attribute of the session cookie, whatever \`cookies.secure\` says. ${SECURE_RULE}`,
    ),
    persistent: key(z.boolean().default(true), 'false: the cookie ends with the browser.'),
  }),
  whoami: section({
    required_aal: key(
      z.enum(['aal1', 'highest_available']).default('highest_available'),
      'With `highest_available`, a password session of someone who has a second factor is not enough.',
    ),
    tokenizer: openSection({
      templates: key(
        z
          .record(
            z.string().regex(/[a-zA-Z0-9-_.]+/),
            z.looseObject({
              ttl: duration().prefault('1m'),
              claims_mapper_url: uri().optional(),
              jwks_url: sensitive(uri()),
              subject_source: z.enum(['id', 'external_id']).default('id'),
            }),
          )
          .default({}),
        'Templates of signed tokens for `/sessions/whoami?tokenize_as=NAME`: `jwks_url` (its first key signs), `ttl`, `subject_source` (`id` or `external_id`), `claims_mapper_url`, a Jsonnet program; see tokens.md.',
      ),
    }),
  }),
})

export const cookies = section({
  domain: key(attribute().optional(), 'Domain of all cookies; unset: the host that answers.'),
  path: key(attribute().default('/'), 'Path of all cookies.'),
  same_site: key(
    sameSite().default('Lax'),
    'SameSite of all cookies. The anti-CSRF cookie is always Lax while it is not Secure.',
  ),
  secure: key(z.string().optional(), `Secure attribute of all cookies but the session cookie. ${SECURE_RULE}`),
})

const secret = () => sensitive(z.string().min(16))

export const secrets = section({
  default: key(
    unique(secret()).default([]),
    'Used where no more specific secret is given. 16 characters or more each.',
  ),
  cookie: key(
    unique(secret()).default([]),
    'Sign and encrypt cookies: the first writes, all read. To rotate, put the new one in front. Empty: `secrets.default`.',
  ),
  cipher: key(
    z
      .array(sensitive(z.string().min(32).max(32)))
      .min(1)
      .optional(),
    'Exactly 32 characters each; encrypt the tokens of providers: the first writes, all read.',
  ),
  pagination: key(z.array(secret()).min(1).optional(), 'Seal page tokens of the message list.', 'B'),
})

export const ciphers = openSection({
  algorithm: key(
    z.enum(['noop', 'aes', 'xchacha20-poly1305']).default('noop'),
    'Cipher of the tokens of providers at rest. `noop` leaves them readable; anything else needs `secrets.cipher`.',
  ),
})

export const hashers = section({
  algorithm: key(
    z.enum(['argon2', 'bcrypt']).default('bcrypt'),
    'Algorithm of new password hashes. Existing ones of any kind keep working.',
  ),
  bcrypt: section({
    cost: key(integer(4, 31).default(12), 'Outside dev mode anything below 12 counts as 12.'),
  }),
  argon2: section({
    memory: key(byteSize().prefault('128MB'), 'Memory of one hash, with a unit.'),
    iterations: key(integer(1, 2 ** 32 - 1).default(1), 'Passes over the memory.'),
    parallelism: key(integer(1).optional(), 'Lanes; unset: twice the number of processors.'),
    salt_length: key(integer(16, 1024).default(16), 'Bytes of salt.'),
    key_length: key(integer(16, 1024).default(32), 'Bytes of hash.'),
    expected_duration: key(duration().prefault('500ms'), 'Advice for calibration.', 'B'),
    expected_deviation: key(duration().prefault('500ms'), 'Advice for calibration.', 'B'),
    dedicated_memory: key(byteSize().prefault('1GB'), 'Advice for calibration.', 'B'),
  }),
})
