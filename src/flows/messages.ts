import type { Json } from '../identities/types.ts'
import { formatTime, type Micros, SECOND } from '../kernel/base/clock.ts'
import { type FlowKind, KINDS } from './kinds.ts'
import type { Expired, UiMessage } from './types.ts'

export const info = (id: number, text: string): UiMessage => ({ id, text, type: 'info' })
export const error = (id: number, text: string, context?: UiMessage['context']): UiMessage => ({
  id,
  text,
  type: 'error',
  ...(context && { context }),
})

const generic = (reason: string) => error(4000001, reason, { reason })

const CHECK = 'check the spelling of the address and make sure to use the address you registered with.'
const sentTo = (what: string) =>
  `An email containing a ${what} has been sent to the email address you provided. If you have not received an email, ${CHECK}`

const ANSWERED = 'This form was answered or changed meanwhile. Try again.'

/**
 * Every message and label of our forms. Those about traits come from the identity schema, those
 * about new passwords from the password policy.
 * @see https://www.ory.com/docs/kratos/concepts/ui-user-interface
 */
export const messages = {
  signIn: info(1010001, 'Sign in'),
  signInWithPassword: info(1010022, 'Sign in with password'),
  confirmItIsYou: info(1010003, 'Please confirm this action by verifying that it is you.'),
  secondFactor: info(1010004, 'Please complete the second authentication challenge.'),
  signUp: info(1040001, 'Sign up'),
  back: info(1040008, 'Back'),
  chooseCredential: info(1040009, 'Please choose a credential to authenticate yourself with.'),
  saved: { id: 1050001, text: 'Your changes have been saved!', type: 'success' } as UiMessage,
  password: info(1070001, 'Password'),
  save: info(1070003, 'Save'),
  identifier: info(1070004, 'ID'),
  email: info(1070007, 'Email'),
  resendCode: info(1070008, 'Resend code'),
  continue: info(1070009, 'Continue'),
  recoveryCode: info(1070010, 'Recovery code'),
  verificationCode: info(1070011, 'Verification code'),
  recoveryLinkSent: info(1060002, sentTo('recovery link')),
  recoveryCodeSent: info(1060003, sentTo('recovery code')),
  recoveryCodeSentTo: (masked: string): UiMessage => ({
    ...info(1060004, `A recovery code has been sent to ${masked}. If you have not received it, ${CHECK}`),
    context: { masked_address: masked },
  }),
  nameAddressInFull: info(1060005, 'Recover access to your account by providing your recovery address in full.'),
  chooseAddress: info(1060006, 'How do you want to recover your account?'),
  /** of a recovery that asks for one of several addresses */
  previousStep: info(1060007, 'Back'),
  /** a text without an id of its own, e.g. a masked address */
  label: (text: string) => info(1070000, text),
  recoveryAddress: info(1070016, 'Recovery address'),
  phoneNumber: info(1070017, 'Phone number'),

  /** the title of a trait */
  trait: (title: string, name: string): UiMessage => ({ ...info(1070002, title), context: { name, title } }),

  generic: (reason: string) => generic(reason),
  codeUsed: () => generic('The code was already used. Please request another code.'),
  tooManyCodes: () => generic('The request was submitted too often. Please request another code.'),
  missing: (property: string) => error(4000002, `Property ${property} is missing.`, { property }),
  wrongCredentials: error(
    4000006,
    'The provided credentials are invalid, check for spelling mistakes in your password or username, email address, or phone number.',
  ),
  taken: error(4000007, 'An account with the same identifier (email, phone, username, ...) exists already.'),
  unknownIdentifier: error(4000037, 'This account does not exist or has no login method configured.'),
  answeredAlready: () => generic(ANSWERED),
  /** of an app or a key */
  wrongCode: error(4000008, 'The provided authentication code is invalid, please try again.'),
  noIdentifier: error(
    4000009,
    'Could not find any login identifiers. Did you forget to set them? This could also be caused by a server misconfiguration.',
  ),
  unverified: error(4000010, 'Account not active yet. Did you forget to verify your email address?'),
  wrongType: (expected: string, value: Json): UiMessage => {
    const actual = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
    const context = { allowed_types: [expected], actual_type: actual }
    return error(4000026, `expected ${expected}, but got ${actual}`, context)
  },
  samePassword: error(4000039, 'The new password must be different from the old password.'),
  /** an account waits to be linked to another identity */
  linkedAccountDiffers: error(4010009, 'Linked credentials do not match.'),
  noLoginMethod: error(4010002, 'Could not find a strategy to log you in with. Did you fill out the form correctly?'),
  noRegistrationMethod: error(
    4010003,
    'Could not find a strategy to sign you up with. Did you fill out the form correctly?',
  ),
  noSettingsMethod: error(
    4010004,
    'Could not find a strategy to update your settings. Did you fill out the form correctly?',
  ),

  verificationLinkSent: info(1080001, sentTo('verification link')),
  verificationCodeSent: info(1080003, sentTo('verification code')),
  verified: { id: 1080002, text: 'You successfully verified your email address.', type: 'success' } as UiMessage,
  noVerificationMethod: error(
    4010006,
    'Could not find a strategy to verify your account with. Did you fill out the form correctly?',
  ),
  verifiedAlready: error(4070002, 'The request was already completed successfully and can not be retried.'),
  wrongVerificationCode: error(4070006, 'The verification code is invalid or has already been used. Please try again.'),
  noRecoveryMethod: error(
    4010005,
    'Could not find a strategy to recover your account with. Did you fill out the form correctly?',
  ),
  wrongEmail: (value: string) => error(4000040, 'Enter a valid email address', { value }),
  wrongRecoveryToken: error(4060004, 'The recovery token is invalid or has already been used. Please retry the flow.'),
  wrongVerificationToken: error(
    4070001,
    'The verification token is invalid or has already been used. Please retry the flow.',
  ),
  wrongRecoveryCode: error(4060006, 'The recovery code is invalid or has already been used. Please try again.'),

  /** @param until when the session is no longer fresh enough to change credentials */
  recovered: (now: Micros, until: Micros): UiMessage => {
    const at = formatTime(until)
    return {
      id: 1060001,
      text: `You successfully recovered your account. Please change your password or set up an alternative login method (e.g. social sign in) within the next ${minutes(until - now)} minutes.`,
      type: 'success',
      context: {
        privilegedSessionExpiresAt: at,
        privileged_session_expires_at: at,
        privileged_session_expires_at_unix: Math.floor(until / SECOND),
      },
    }
  },

  expired: (kind: FlowKind, { at, since }: Expired) =>
    error(KINDS[kind].expiredId, `The ${kind} flow expired ${minutes(since)} minutes ago, please try again.`, {
      expired_at: at,
      expired_at_unix: Math.floor(Date.parse(at) / 1000),
    }),
}

export function minutes(micros: number): string {
  return (micros / 60_000_000).toFixed(2)
}
