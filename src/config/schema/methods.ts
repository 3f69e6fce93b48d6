import { z } from 'zod'
import { duration, integer, key, section, sensitive, stringMap, strings, uri } from './fields.ts'
import { oidcProvider } from './oidc.ts'

const loose = z.looseObject
const off = (doc: string) => key(z.boolean().default(false), doc, 'B')
const rp = { id: z.string(), display_name: z.string() }

const password = section({
  enabled: key(z.boolean().default(true), 'Login and registration by password.'),
  config: section({
    haveibeenpwned_enabled: key(
      z.boolean().default(true),
      'Asks an outside service whether a new password has leaked. Five hex digits of its SHA-1 leave the server.',
    ),
    haveibeenpwned_host: key(z.string().default('api.pwnedpasswords.com'), 'Host of that service, without scheme.'),
    max_breaches: key(integer(0, 100).default(0), 'Leaks a password may be part of.'),
    ignore_network_errors: key(z.boolean().default(true), 'true: a password passes while the service is unreachable.'),
    min_password_length: key(integer(6).default(8), 'Shortest password, in characters.'),
    identifier_similarity_check_enabled: key(z.boolean().default(true), 'Refuses passwords close to the identifier.'),
    migrate_hook: section({
      enabled: off('Would ask another system at the first login of someone without a hash; such people cannot log in.'),
      config: key(
        z
          .strictObject({
            url: uri(),
            method: z.literal('POST').default('POST'),
            headers: sensitive(stringMap()).optional(),
            emit_analytics_event: z.boolean().default(true),
            auth: loose({}).optional(),
            body: uri().optional(),
          })
          .partial()
          .optional(),
        'Address of that system.',
        'B',
      ),
    }),
  }),
})

export const methods = section({
  password,
  profile: section({ enabled: key(z.boolean().default(true), 'Change of traits in the settings form.', 'B') }),
  link: section({
    enabled: key(z.boolean().default(false), 'Recovery and verification by a link that is sent.'),
    config: key(
      loose({ base_url: z.string(), lifespan: duration() }).partial().optional(),
      '`lifespan`: how long a link lives, an hour unless set. `base_url` is without effect: links lead to `serve.public.base_url`.',
    ),
  }),
  code: key(
    loose({
      enabled: key(z.boolean().default(true), 'Recovery and verification by a code that is sent.'),
      passwordless_enabled: key(z.boolean().default(false), 'Login and registration by a code that is sent.'),
      mfa_enabled: key(
        z.boolean().default(false),
        'Second factor by a code that is sent. Never together with the one above.',
      ),
      config: key(
        loose({
          lifespan: duration(),
          max_submissions: integer(1, 255),
          missing_credential_fallback_enabled: z.boolean(),
        })
          .partial()
          .optional(),
        '`lifespan`: how long a code lives, an hour unless set. `max_submissions`: codes that may be tried in one flow, 5 unless set. `missing_credential_fallback_enabled`: an identity without a credential of type code may use one of its addresses.',
      ),
    })
      .refine(
        (c) => !(c.passwordless_enabled && c.mfa_enabled),
        'passwordless_enabled and mfa_enabled exclude each other',
      )
      .prefault({}),
    'Codes by message.',
  ),
  totp: section({
    enabled: key(
      z.boolean().default(false),
      'Second factor by the codes of an authenticator app. Off: accounts that have one are still asked for it.',
    ),
    config: section({
      issuer: key(
        z.string().optional(),
        'Name that authenticator apps show; the host of `serve.public.base_url` by default.',
      ),
    }),
  }),
  lookup_secret: section({
    enabled: key(
      z.boolean().default(false),
      'Second factor by backup codes. Off: accounts that have some are still asked for a second factor.',
    ),
  }),
  webauthn: section({
    enabled: key(
      z.boolean().default(false),
      'Security keys: second factors, or first ones with `config.passwordless`. In browsers alone.',
    ),
    config: key(
      z
        .strictObject({
          passwordless: z.boolean().optional(),
          rp: z
            .strictObject({
              ...rp,
              origin: uri().optional(),
              origins: z.array(uri()).optional(),
              icon: uri().optional(),
            })
            .refine(
              (c) => !(c.origin !== undefined && c.origins !== undefined),
              'origin and origins exclude each other',
            )
            .optional(),
        })
        .optional(),
      'Relying party of WebAuthn.',
    ),
  }),
  passkey: section({
    enabled: key(z.boolean().default(false), 'Sign-in, sign-up and confirmation by passkeys.'),
    config: key(
      z
        .strictObject({
          rp: loose({ ...rp, origins: strings().optional() }).optional(),
          authenticator_selection: loose({}).optional(),
          attestation: loose({}).optional(),
          timeouts: z.strictObject({ registration: duration(), login: duration() }).partial().optional(),
        })
        .optional(),
      'Relying party of passkeys.',
    ),
  }),
  oidc: section({
    enabled: key(z.boolean().default(false), 'Sign-in, sign-up and linking by other providers.'),
    config: section({
      base_redirect_uri: key(
        uri().optional(),
        'Address that providers send people back to; else `serve.public.base_url`.',
      ),
      providers: key(
        z.array(oidcProvider).default([]),
        'The providers, each with a Jsonnet mapper that makes traits of what it says.',
      ),
    }),
  }),
  b2b: section({
    config: section({
      organizations: key(z.array(loose({})).optional(), 'Needs a licence in Kratos; without effect.', 'B'),
    }),
  }),
})
