import type { RefusedRegistrations } from '../../events/refused-registrations.ts'
import { HttpError } from '../../kernel/http/errors.ts'
import { problemsOf } from '../attempt.ts'
import { HookRefused } from '../hooks/hooks.ts'
import { messages } from '../messages.ts'
import type { Flow, Ui } from '../types.ts'

/** What is known of a submitted form by the time it is refused. */
export interface Refusable {
  flow?: Pick<Flow, 'type'>
  method?: string
  refused?: Refused | undefined
}

export interface Refused {
  reason: string
  /** ids of the messages that the form shows */
  messages: readonly number[]
}

/** Members of events: they do not change, and there are few, so that they can be counted. */
const REASONS = new Map<number, string>([
  [messages.taken.id, 'identifier_taken'],
  [messages.noRegistrationMethod.id, 'no_method'],
  ...[4000031, 4000032, 4000033, 4000034].map((id) => [id, 'password_policy'] as const),
  [4040003, 'wrong_code'],
])

const withIds = (ids: readonly number[]): Refused => {
  const [reason = 'form'] = ids.flatMap((id) => REASONS.get(id) ?? [])
  return { reason, messages: [...new Set(ids)] }
}

/** By the messages of a form; undefined where it refuses nothing. */
export function refusedWith({ messages = [], nodes }: Pick<Ui, 'messages' | 'nodes'>): Refused | undefined {
  const all = [...messages, ...nodes.flatMap((node) => node.messages)]
  const ids = all.filter(({ type }) => type === 'error').map(({ id }) => id)
  return ids.length === 0 ? undefined : withIds(ids)
}

/** Receivers of web hooks choose the ids of their messages. What is no form is named by its error; a failure of this server is no refusal. */
export function refusedBy(error: unknown): Refused | undefined {
  const ids = problemsOf(error)?.map(({ message }) => message.id)
  if (ids) return error instanceof HookRefused ? { reason: 'web_hook', messages: ids } : withIds(ids)
  if (!(error instanceof HttpError)) return undefined
  return { reason: error.id ?? (error.status < 500 ? `status_${error.status}` : 'error'), messages: [] }
}

export async function tellRefused(log: RefusedRegistrations, { flow, method, refused }: Refusable): Promise<void> {
  if (flow && refused) await log.tell({ method: method ?? null, flow: flow.type, ...refused })
}
