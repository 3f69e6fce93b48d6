import { z } from 'zod'
import { type KeyClass, key, section, sensitive, stringMap, unique, uri, uriOrPath } from './fields.ts'

const plain = <N extends string>(name: N) => z.strictObject({ hook: z.literal(name) })
/** How a request authenticates itself to the receiver. */
export const auth = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('basic_auth'), config: z.strictObject({ user: z.string(), password: z.string() }) }),
  z.strictObject({
    type: z.literal('api_key'),
    config: z.strictObject({ name: z.string(), value: z.string(), in: z.enum(['header', 'cookie']) }),
  }),
])

const webHook = z
  .strictObject({
    hook: z.literal('web_hook'),
    config: z
      .strictObject({
        id: z.string().optional(),
        url: uri(),
        method: z.string(),
        headers: sensitive(stringMap()).optional(),
        body: z.string().optional(),
        auth: sensitive(auth).optional(),
        response: z
          .strictObject({ ignore: z.boolean().default(false), parse: z.boolean().default(false) })
          .prefault({}),
        can_interrupt: z.boolean().default(false),
        emit_analytics_event: z.boolean().default(true),
      })
      .refine((c) => !(c.response.ignore && c.response.parse), 'response.ignore and response.parse exclude each other')
      .refine((c) => !(c.response.ignore && c.can_interrupt), 'response.ignore and can_interrupt exclude each other'),
  })
  .meta({ id: 'WebHook' })
const b2b = [z.looseObject({ hook: z.literal('b2b_sso') }), z.looseObject({ hook: z.literal('organization') })] as const

const general = z.discriminatedUnion('hook', [webHook, ...b2b]).meta({ id: 'Hook' })
const login = z
  .discriminatedUnion('hook', [
    plain('revoke_active_sessions'),
    plain('require_verified_address'),
    plain('verification'),
    plain('show_verification_ui'),
    webHook,
    ...b2b,
  ])
  .meta({ id: 'LoginHook' })
const oidcLogin = z
  .discriminatedUnion('hook', [plain('revoke_active_sessions'), plain('require_verified_address'), webHook, ...b2b])
  .meta({ id: 'ProviderLoginHook' })
const registration = z
  .discriminatedUnion('hook', [plain('session'), plain('show_verification_ui'), webHook, ...b2b])
  .meta({ id: 'RegistrationHook' })
const credentials = z
  .discriminatedUnion('hook', [plain('revoke_active_sessions'), webHook])
  .meta({ id: 'CredentialsHook' })
const profile = z
  .discriminatedUnion('hook', [
    plain('show_verification_ui'),
    plain('verify_new_address'),
    z.strictObject({
      hook: z.literal('notify_previous_addresses'),
      config: z.strictObject({ recipients: z.enum(['removed', 'all_verified', 'all']).default('removed') }).optional(),
    }),
    webHook,
    ...b2b,
  ])
  .meta({ id: 'ProfileHook' })

export type WebHookConfig = z.output<typeof webHook>
export type LoginHook = z.output<typeof login>
export type RegistrationHook = z.output<typeof registration>

const hooks = <T extends z.ZodType>(hook: T, doc: string, cls: KeyClass) => key(unique(hook).default([]), doc, cls)
const returnUrl = (when: string, cls: KeyClass) => key(z.string().optional(), `Where browsers go after ${when}.`, cls)

const after = <T extends z.ZodType>(hook: T, when: string, cls: KeyClass) =>
  section({
    default_browser_return_url: returnUrl(when, cls),
    hooks: hooks(hook, `What happens after ${when}. A list here replaces the general \`after.hooks\`.`, cls),
  })

const before = (flow: string, cls: KeyClass) =>
  section({ hooks: hooks(general, `Web hooks before ${flow}. One that refuses keeps the flow from beginning.`, cls) })

export const beforeLogin = before('login', 'A')
export const afterLogin = section({
  default_browser_return_url: returnUrl('login', 'A'),
  password: after(login, 'login by password', 'A'),
  oidc: after(oidcLogin, 'login by a provider', 'A'),
  webauthn: after(login, 'login by WebAuthn', 'A'),
  passkey: after(login, 'login by passkey', 'A'),
  code: after(login, 'login by code', 'A'),
  totp: after(login, 'a time-based code', 'A'),
  lookup_secret: after(login, 'a backup code', 'A'),
  hooks: hooks(login, 'What happens after login by a method without hooks of its own.', 'A'),
})

export const beforeRegistration = before('registration', 'A')
export const afterRegistration = section({
  default_browser_return_url: returnUrl('registration', 'A'),
  password: after(registration, 'registration with a password', 'A'),
  oidc: after(registration, 'registration by a provider', 'A'),
  webauthn: after(registration, 'registration by WebAuthn', 'A'),
  passkey: after(registration, 'registration by passkey', 'A'),
  code: after(registration, 'registration by code', 'A'),
  hooks: hooks(general, 'What happens after registration with a method without hooks of its own.', 'A'),
})

export const beforeSettings = before('a settings change', 'A')
export const afterSettings = section({
  default_browser_return_url: returnUrl('a settings change', 'A'),
  password: after(credentials, 'a password change', 'A'),
  totp: after(credentials, 'a change of time-based codes', 'A'),
  oidc: after(credentials, 'a change of linked providers', 'A'),
  webauthn: after(credentials, 'a change of WebAuthn keys', 'A'),
  passkey: after(credentials, 'a change of passkeys', 'A'),
  lookup_secret: after(credentials, 'a change of backup codes', 'A'),
  profile: after(profile, 'a profile change', 'A'),
  hooks: hooks(general, 'What happens after a settings change by a method without hooks of its own.', 'A'),
})

export const beforeRecovery = before('recovery', 'A')
export const afterRecovery = after(credentials, 'recovery', 'A')
export const beforeVerification = before('verification', 'A')
export const afterVerification = after(general, 'verification', 'A')
export const uiUrl = (page: string, fallback: string, cls: KeyClass = 'A') =>
  key(uriOrPath().default(fallback), `Page that shows ${page}.`, cls)
