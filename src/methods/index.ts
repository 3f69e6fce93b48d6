import type { LoginMethod } from '../flows/login/method.ts'
import type { RegistrationMethod } from '../flows/registration/method.ts'
import type { SettingsMethod } from '../flows/settings/method.ts'
import { type CodeLoginDeps, codeLogin } from './code/login/login.ts'
import { type CodeRegistrationDeps, codeRegistration } from './code/registration.ts'
import { type IdentifierFirstDeps, identifierFirst } from './identifier_first/login.ts'
import { type LookupLoginDeps, lookupLogin } from './lookup_secret/login.ts'
import { type LookupSettingsDeps, lookupSettings } from './lookup_secret/settings.ts'
import { type OidcLoginDeps, oidcLogin } from './oidc/login.ts'
import { oidcRegistration } from './oidc/registration.ts'
import { type OidcSettingsDeps, oidcSettings } from './oidc/settings.ts'
import { type PasskeyLoginDeps, passkeyLogin } from './passkey/login.ts'
import { type PasskeyRegistrationDeps, passkeyRegistration } from './passkey/registration.ts'
import { type PasskeySettingsDeps, passkeySettings } from './passkey/settings.ts'
import { type PasswordLoginDeps, passwordLogin } from './password/login.ts'
import { type PasswordRegistrationDeps, passwordRegistration } from './password/registration.ts'
import { type PasswordSettingsDeps, passwordSettings } from './password/settings.ts'
import { profileRegistration } from './profile/registration.ts'
import { type ProfileSettingsDeps, profileSettings } from './profile/settings.ts'
import { type TotpLoginDeps, totpLogin } from './totp/login.ts'
import { type TotpSettingsDeps, totpSettings } from './totp/settings.ts'
import { type WebauthnLoginDeps, webauthnLogin } from './webauthn/login.ts'
import { type WebauthnRegistrationDeps, webauthnRegistration } from './webauthn/registration.ts'
import { type WebauthnSettingsDeps, webauthnSettings } from './webauthn/settings.ts'

export type MethodDeps = CodeLoginDeps &
  CodeRegistrationDeps &
  OidcLoginDeps &
  OidcSettingsDeps &
  PasswordLoginDeps &
  PasswordRegistrationDeps &
  PasswordSettingsDeps &
  ProfileSettingsDeps &
  TotpLoginDeps &
  TotpSettingsDeps &
  LookupLoginDeps &
  LookupSettingsDeps &
  IdentifierFirstDeps &
  WebauthnLoginDeps &
  WebauthnRegistrationDeps &
  WebauthnSettingsDeps &
  PasskeyLoginDeps &
  PasskeyRegistrationDeps &
  PasskeySettingsDeps

// In each list, methods are asked in this order whether a submitted form is theirs.

export const loginMethods = (d: MethodDeps): readonly LoginMethod[] => [
  passwordLogin(d),
  webauthnLogin(d),
  passkeyLogin(d),
  totpLogin(d),
  lookupLogin(d),
  oidcLogin(d),
  codeLogin(d),
  identifierFirst(d),
]

export const registrationMethods = (d: MethodDeps): readonly RegistrationMethod[] => [
  profileRegistration(d),
  passwordRegistration(d),
  webauthnRegistration(d),
  passkeyRegistration(d),
  oidcRegistration(d),
  codeRegistration(d),
]

export const settingsMethods = (d: MethodDeps): readonly SettingsMethod[] => [
  profileSettings(d),
  passwordSettings(d),
  lookupSettings(d),
  webauthnSettings(d),
  passkeySettings(d),
  totpSettings(d),
  oidcSettings(d),
]
