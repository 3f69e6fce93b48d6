import type { Config } from '../../config/schema/schema.ts'
import { shortUrl } from '../../kernel/outbound/load.ts'
import { FormRefused } from '../refused.ts'
import { readChange, readRefusal } from './answer.ts'
import { hookAnswerUnusable, startRefused } from './errors.ts'
import type { ConfiguredHook, HookContext, IdentityChange, WebHook } from './types.ts'
import { assertSucceeded, callWebHook, type HookAnswer, type WebHookDeps } from './web-hook.ts'

export interface HookDeps extends WebHookDeps {
  config(): Config
  log: { warn(details: object, message: string): void }
}

/** The web hooks of flows. The hooks of one step share a deadline, `lethe.web_hooks.timeout`. */
export interface Hooks {
  /**
   * Calls the hooks before a flow. The context is made only if there is one.
   * @throws HttpError 400 when one refuses, 500, 502, 504
   */
  before(hooks: readonly ConfiguredHook[], context: () => HookContext): Promise<void>
  /**
   * Calls hooks in their order; a later one sees the changes of an earlier one.
   * @returns what they change in the identity
   * @throws HookRefused with the receiver's messages; HttpError 500, 502, 504
   */
  run(hooks: readonly WebHook[], context: () => HookContext): Promise<IdentityChange | undefined>
  /** Calls hooks that cannot change anything any more: a failure is logged. */
  tell(hooks: readonly WebHook[], context: () => HookContext): Promise<void>
  /** Resolves when no background call is in flight. */
  drain(): Promise<void>
}

/** A receiver refuses: the form shows its messages. */
export class HookRefused extends FormRefused {}

/** Background calls in flight, in one process. A receiver that hangs must not fill the memory. */
const MAX_IGNORED = 100

export function createHooks(d: HookDeps): Hooks {
  const ignored = new Set<Promise<void>>()
  const deadline = () => performance.now() + d.config().lethe.web_hooks.timeout

  /** Starts a call without waiting for it. */
  function callAside(hook: WebHook, context: HookContext): void {
    if (ignored.size >= MAX_IGNORED) {
      d.log.warn(names(hook), `a web hook was left out: ${MAX_IGNORED} calls wait for answers that are ignored`)
      return
    }
    const call: Promise<void> = callWebHook(d, hook, context, deadline())
      .then((answer) => {
        if (answer) assertSucceeded(answer)
      })
      .catch((error: Error) => logFailure(hook, error))
      .finally(() => {
        ignored.delete(call)
      })
    ignored.add(call)
  }

  async function call(hook: WebHook, context: HookContext, until: number): Promise<IdentityChange | undefined> {
    const answer = await callWebHook(d, hook, context, until)
    return answer && judge(hook, answer)
  }

  function logFailure(hook: WebHook, error: Error): void {
    d.log.warn({ err: error.cause ?? error, ...names(hook) }, 'a web hook failed')
  }

  const hooks: Hooks = {
    async before(configured, context) {
      await hooks.run(webHooks(configured), context).catch((error: unknown) => {
        throw error instanceof HookRefused ? startRefused(error.problems.map(({ message }) => message)) : error
      })
    },

    async run(configured, context) {
      if (configured.length === 0) return undefined
      const until = deadline()
      const given = context()
      let change: IdentityChange | undefined
      for (const hook of configured) {
        const seen = change ? changed(given, change) : given
        if (hook.config.response.ignore) callAside(hook, seen)
        else change = merged(change, await call(hook, seen, until))
      }
      return change
    },

    async tell(configured, context) {
      if (configured.length === 0) return
      const until = deadline()
      const given = context()
      for (const hook of configured) {
        if (hook.config.response.ignore) callAside(hook, given)
        else await call(hook, given, until).catch((error: Error) => logFailure(hook, error))
      }
    },

    async drain() {
      await Promise.all(ignored)
    },
  }

  return hooks
}

const names = ({ config }: WebHook) => ({ hook: config.id ?? shortUrl(config.url) })

/** @throws HookRefused for a refusal of a hook that may refuse; HttpError 502 for any other answer that is not a success */
function judge({ config }: WebHook, answer: HookAnswer): IdentityChange | undefined {
  const { status } = answer
  const mayRefuse = config.can_interrupt || config.response.parse
  if (mayRefuse && status >= 400 && status < 500) throw new HookRefused(readable(() => readRefusal(answer.body)))
  assertSucceeded(answer)
  return config.response.parse && status === 200 ? readable(() => readChange(answer.body)) : undefined
}

function readable<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw hookAnswerUnusable(error as Error)
  }
}

function merged(before: IdentityChange | undefined, more: IdentityChange | undefined): IdentityChange | undefined {
  return before && more ? { ...before, ...more } : (more ?? before)
}

/** The context for the next hook. */
function changed(context: HookContext, change: IdentityChange): HookContext {
  // Hooks do not get the operator's metadata.
  const { metadata_admin: _, ...shown } = change
  return context.identity ? { ...context, identity: { ...context.identity, ...(shown as object) } } : context
}

export const webHooks = (hooks: readonly ConfiguredHook[]): WebHook[] =>
  hooks.filter((hook): hook is WebHook => hook.hook === 'web_hook')

/** Whether a hook may still refuse or change what is not stored yet. */
export const decides = ({ config }: WebHook) => config.response.parse || config.can_interrupt

/** The hooks of a method replace the general ones. */
export const hooksOf = <H extends ConfiguredHook>(
  own: readonly H[] | undefined,
  general: readonly H[],
): readonly H[] => (own && own.length > 0 ? own : general)
