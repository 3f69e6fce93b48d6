import type { LoginMethod } from '../flows/login/method.ts'
import { type LookupLoginDeps, lookupLogin } from './lookup_secret/login.ts'
import { type PasswordLoginDeps, passwordLogin } from './password/login.ts'
import { type TotpLoginDeps, totpLogin } from './totp/login.ts'

export type MethodDeps = PasswordLoginDeps & TotpLoginDeps & LookupLoginDeps

/** The ways to sign in, in the order in which they are asked whether a submitted form is theirs. */
export const loginMethods = (d: MethodDeps): readonly LoginMethod[] => [passwordLogin(d), totpLogin(d), lookupLogin(d)]
