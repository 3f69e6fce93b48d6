import { error, info } from '../../flows/messages.ts'
import type { UiMessage } from '../../flows/types.ts'
import type { CodeAddress } from './addresses.ts'

/** Of sign-in and registration by code. @see https://www.ory.com/docs/kratos/concepts/ui-user-interface */
export const codeMessages = {
  loginCodeSent: info(
    1010014,
    "A code was sent to the address you provided. If you didn't receive it, please check the spelling of the address and try again.",
  ),
  sendLoginCode: info(1010015, 'Send sign in code'),
  sendTo: ({ via, value }: CodeAddress): UiMessage => ({
    ...info(1010023, `Send code to ${value}`),
    context: { address: value, channel: via },
  }),
  loginCode: info(1070013, 'Login code'),
  registrationCodeSent: info(
    1040005,
    'A code has been sent to the address(es) you provided. If you have not received a message, check the spelling of the address and retry the registration.',
  ),
  sendRegistrationCode: info(1040006, 'Send sign up code'),
  registrationCode: info(1070012, 'Registration code'),
  traitsDiffer: error(4000036, 'The provided traits do not match the traits previously associated with this flow.'),
  wrongRegistrationCode: error(4040003, 'The registration code is invalid or has already been used. Please try again.'),
  unknownAddress: error(4000035, 'This account does not exist or has not setup sign in with code.'),
  wrongLoginCode: error(4010008, 'The login code is invalid or has already been used. Please try again.'),
}
