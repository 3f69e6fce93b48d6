import { z } from 'zod'
import { duration, type KeyClass, key, section } from './fields.ts'
import * as hook from './hooks.ts'

const FALLBACK = 'https://www.ory.sh/kratos/docs/fallback'

const lifespan = (cls: KeyClass = 'A') => key(duration().prefault('1h'), 'How long a started form stays usable.', cls)
const use = () => key(z.enum(['link', 'code']).default('code'), 'What the message carries.')
const unknownRecipients = () => key(z.boolean().default(false), 'Also writes to addresses that no account has.')

export const flows = section({
  login: section({
    ui_url: hook.uiUrl('the login form; `?flow=` is added', `${FALLBACK}/login`),
    lifespan: lifespan(),
    style: key(
      z.enum(['unified', 'identifier_first']).default('unified'),
      '`identifier_first` asks for the identifier alone first, and then offers what its owner can sign in with.',
    ),
    before: hook.beforeLogin,
    after: hook.afterLogin,
  }),
  registration: section({
    enabled: key(z.boolean().default(true), 'false: there is no registration.'),
    login_hints: key(z.boolean().default(false), 'Would tell how an existing account signs in.', 'B'),
    ui_url: hook.uiUrl('the registration form; `?flow=` is added', `${FALLBACK}/registration`),
    lifespan: lifespan(),
    style: key(
      z.enum(['unified', 'profile_first']).default('profile_first'),
      '`profile_first` asks for the traits, then for the password; `unified` is one form.',
    ),
    enable_legacy_one_step: key(z.boolean().default(false), 'Older way to say `style: unified`.'),
    before: hook.beforeRegistration,
    after: hook.afterRegistration,
  }),
  logout: section({
    after: section({
      default_browser_return_url: key(
        z.string().optional(),
        'Where browsers go after logout when the request names no `return_to`. Unset: `selfservice.default_browser_return_url`.',
      ),
    }),
  }),
  error: section({ ui_url: hook.uiUrl('errors to people; `?id=` is added', `${FALLBACK}/error`) }),
  settings: section({
    ui_url: hook.uiUrl('the account settings', `${FALLBACK}/settings`, 'B'),
    lifespan: lifespan('B'),
    privileged_session_max_age: key(
      duration().prefault('1h'),
      'How long after login a session may change credentials.',
    ),
    required_aal: key(
      z.enum(['aal1', 'highest_available']).default('highest_available'),
      'Assurance that the settings form asks for.',
      'B',
    ),
    before: hook.beforeSettings,
    after: hook.afterSettings,
  }),
  verification: section({
    enabled: key(z.boolean().default(false), 'Whether people can prove by a message that an address is theirs.'),
    ui_url: hook.uiUrl('the verification form', `${FALLBACK}/verification`),
    use: use(),
    lifespan: lifespan(),
    notify_unknown_recipients: unknownRecipients(),
    before: hook.beforeVerification,
    after: hook.afterVerification,
  }),
  recovery: section({
    enabled: key(
      z.boolean().default(false),
      'Whether people who cannot sign in any more get back in by a message to an address of theirs.',
    ),
    ui_url: hook.uiUrl('the recovery form', `${FALLBACK}/recovery`),
    use: use(),
    lifespan: lifespan(),
    notify_unknown_recipients: unknownRecipients(),
    before: hook.beforeRecovery,
    after: hook.afterRecovery,
  }),
})
