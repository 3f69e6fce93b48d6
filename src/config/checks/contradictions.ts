import { addressRules, guard, isGuarded, Refused } from '../../kernel/outbound/guard.ts'
import { msToDuration } from '../schema/durations.ts'
import type { Config } from '../schema/schema.ts'
import { at } from '../sources/sources.ts'
import { type Loaded, problemAt } from './locate.ts'
import type { ConfigProblem } from './problems.ts'

/** How long after its `exp` a verifier still accepts a token, since clocks differ. */
const TOLERANCE_MS = 5000

/** Values that are valid one by one and contradict each other. For a configuration that its schema accepts. */
export function contradictions(config: Config, loaded: Loaded): ConfigProblem[] {
  const { retention, revocations, delivery, webhooks } = config.lethe.events
  const problems: ConfigProblem[] = []
  const refuse = (path: string, reason: string, hint?: string) =>
    problems.push(problemAt(loaded, path.split('.'), reason, { hint }))
  const isSet = (path: string) => at(loaded.merged, path.split('.')) !== undefined

  const { window } = revocations
  for (const [name, { ttl }] of Object.entries(config.session.whoami.tokenizer.templates)) {
    const needed = msToDuration(ttl + TOLERANCE_MS)
    const tokens = `the tokens of ${name} live for ${msToDuration(ttl)}, and 5s more by a clock that is late`
    if (window !== undefined && window < ttl + TOLERANCE_MS) {
      refuse(
        'lethe.events.revocations.window',
        `ended sessions leave the list too early: ${tokens}`,
        `at least ${needed}`,
      )
    }
    if (retention < ttl + TOLERANCE_MS) {
      refuse('lethe.events.retention', `ended sessions are forgotten too early: ${tokens}`, `at least ${needed}`)
    }
  }
  if (window !== undefined && retention < window) {
    const reason = `shorter than lethe.events.revocations.window (${msToDuration(window)}), which is made from these events`
    refuse('lethe.events.retention', reason)
  }
  // Only for a value that the operator set: the default of 5m does not contradict a longest pause that is a default too.
  if (isSet('lethe.events.delivery.give_up_after')) {
    const limit = `lethe.events.delivery.give_up_after (${msToDuration(delivery.give_up_after)})`
    if (isSet('lethe.events.delivery.max_pause') && delivery.max_pause > delivery.give_up_after) {
      refuse('lethe.events.delivery.max_pause', `longer than ${limit}, after which nothing is tried again`)
    }
    if (isSet('lethe.events.retention') && retention < delivery.give_up_after) {
      refuse(
        'lethe.events.retention',
        `shorter than ${limit}: dead letters would be deleted before an operator could see them`,
      )
    }
  }

  for (const [index, { url, secret, previous_secrets: previous }] of webhooks.entries()) {
    const path = `lethe.events.webhooks.${index}`
    const again = previous.findIndex((one, i) => one === secret || previous.indexOf(one) !== i)
    if (again >= 0) refuse(`${path}.previous_secrets.${again}`, 'is given already, and would sign twice')
    const rules = addressRules(config)
    try {
      if (isGuarded(url, rules)) guard(url)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      refuse(`${path}.url`, error.message)
    }
  }
  return problems
}
