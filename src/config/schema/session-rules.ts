import { z } from 'zod'
import { msToDuration } from './durations.ts'
import { duration, integer, key, section } from './fields.ts'

/** A shorter one would end sessions between two requests of one page. */
const SHORTEST_MS = 1000
const timeout = () =>
  duration().refine((ms) => ms === 0 || ms >= SHORTEST_MS, `must be 0s or at least ${msToDuration(SHORTEST_MS)}`)

/** Limits of sessions beside `session.lifespan`. */
const rules = {
  idle_timeout: key(
    timeout().optional(),
    'A session that is not used for so long ends; 0s or unset: never. A use counts when a session is checked (`/sessions/whoami`, pages, the sessions of its owner), is noted to a sixtieth of this, a minute at most, and never counts less than it was.',
  ),
  absolute_timeout: key(
    timeout().optional(),
    'A session ends this long after its first sign-in, whatever prolongs it: new proofs, `extend`. 0s or unset: never.',
  ),
  max_per_identity: key(
    integer(0, 100_000).optional(),
    'Sessions that an identity may have at once; 0 or unset: any number. Counted at each sign-in.',
  ),
  when_full: key(
    z.enum(['end_oldest', 'refuse']).optional(),
    'A sign-in beyond `max_per_identity` ends the sessions that began first, which is the default, or is refused.',
  ),
  require_fresh: section({
    aal1: key(
      timeout().optional(),
      'A session whose last proof is older is answered with 403 `session_refresh_required` until its owner signs in again. It does not end. 0s or unset: no limit.',
    ),
    aal2: key(
      timeout().optional(),
      'A second factor that was shown longer ago counts as not shown where one is required. 0s or unset: no limit.',
    ),
  }),
}

export const sessionRules = {
  ...rules,
  schemas: key(
    z.record(z.string(), section(rules)).default({}),
    'Other rules for identities of a schema, by its id: what is set there counts in place of what is set above.',
  ),
}
