import { at, generic } from './generic.ts'
import type { Kind, Provider } from './kind.ts'
import { amazon } from './kinds/amazon.ts'
import { apple } from './kinds/apple.ts'
import { dingtalk } from './kinds/dingtalk.ts'
import { discord } from './kinds/discord.ts'
import { facebook } from './kinds/facebook.ts'
import { fedcmTest } from './kinds/fedcm-test.ts'
import { github, githubApp } from './kinds/github.ts'
import { google } from './kinds/google.ts'
import { lark } from './kinds/lark.ts'
import { linkedin, linkedinV2 } from './kinds/linkedin.ts'
import { microsoft } from './kinds/microsoft.ts'
import { netid } from './kinds/netid.ts'
import { patreon } from './kinds/patreon.ts'
import { slack } from './kinds/slack.ts'
import { spotify } from './kinds/spotify.ts'
import { uaepass } from './kinds/uaepass.ts'
import { auth0, gitlab, salesforce } from './kinds/userinfo.ts'
import { vk } from './kinds/vk.ts'
import { x } from './kinds/x.ts'
import { yandex } from './kinds/yandex.ts'

/** By the value of `provider`. */
const KINDS: Record<Provider['provider'], Kind> = {
  generic,
  google,
  apple,
  microsoft,
  github,
  'github-app': githubApp,
  gitlab,
  auth0,
  salesforce,
  discord,
  slack,
  facebook,
  vk,
  yandex,
  spotify,
  amazon,
  lark,
  dingtalk,
  patreon,
  linkedin,
  linkedin_v2: linkedinV2,
  // Without the parameter its id tokens are signed with the client secret. @see https://developers.line.biz/en/docs/line-login/
  line: at('https://access.line.me', { token: { parameters: { id_token_key_type: 'JWK' } } }),
  netid,
  x,
  uaepass,
  'fedcm-test': fedcmTest,
}

export const kindOf = ({ provider }: Provider): Kind => KINDS[provider]
