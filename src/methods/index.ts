import type { LoginMethod } from '../flows/login/method.ts'
import { type PasswordLoginDeps, passwordLogin } from './password/login.ts'

export type MethodDeps = PasswordLoginDeps

/** The ways to sign in, in the order in which they are asked whether a submitted form is theirs. */
export const loginMethods = (d: MethodDeps): readonly LoginMethod[] => [passwordLogin(d)]
