import { TEXT } from '../text/text.ts'
import { TIMES } from '../time/functions.ts'
import { BUILTINS } from './builtins.ts'
import { DICTS } from './dicts.ts'
import { ENCODINGS } from './encodings.ts'
import { JSON_FUNCTIONS } from './json.ts'
import { LISTS } from './lists.ts'
import { LOGIC } from './logic.ts'
import { NUMBERS } from './numbers.ts'
import { PATHS } from './paths.ts'
import { REGEX } from './regex.ts'
import { SECRETS } from './secrets.ts'
import type { Func } from './signature.ts'
import { URLS } from './url.ts'
import { VERSIONS } from './versions.ts'

/** Every function that a template may use: Go's own, and of sprig those that do not look at the machine or the time. */
export const FUNCTIONS: ReadonlyMap<string, Func> = new Map(
  Object.entries({
    ...TEXT,
    ...LISTS,
    ...DICTS,
    ...NUMBERS,
    ...LOGIC,
    ...JSON_FUNCTIONS,
    ...ENCODINGS,
    ...REGEX,
    ...PATHS,
    ...URLS,
    ...TIMES,
    ...VERSIONS,
    ...SECRETS,
    ...BUILTINS,
  }),
)

export const NAMES: ReadonlySet<string> = new Set(FUNCTIONS.keys())
