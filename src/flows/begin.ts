import type { IdentitySchema } from '../identities/types.ts'
import { type Clock, formatTime, type Micros, parseTime } from '../kernel/base/clock.ts'
import { goBoolean } from '../kernel/base/go-boolean.ts'
import { uuid } from '../kernel/base/uuid.ts'
import { randomText } from '../kernel/crypto/one-time.ts'
import type { Random } from '../kernel/crypto/tokens.ts'
import { schemaNotSelectable, schemaUnknown } from './errors.ts'
import type { RequestFacts } from './hooks/types.ts'
import type { ExchangeStore } from './store.ts'
import type { Expired, Flow, FlowType } from './types.ts'
import { requestQuery } from './urls.ts'

/** The identity schemas in force. */
export interface SchemaLookup {
  get(id: string): IdentitySchema | undefined
  readonly default: IdentitySchema
}

/** The request that begins a flow. */
export interface BeginRequest {
  type: FlowType
  /** see {@link Flow.request_url} */
  requestUrl: string
  /** empty in native flows */
  csrfToken: string
  /** for the hooks before the flow, and the messages that it sends; absent if it replaces another */
  facts?(): RequestFacts
}

/** A flow without its form. */
export type NewFlow = Omit<Flow, 'ui'>

export function newFlow(
  d: { clock: Clock; random: Random },
  request: BeginRequest & { lifespanMs: number; schema: string },
): NewFlow {
  const now = d.clock.now()
  return {
    id: uuid(d.random),
    type: request.type,
    request_url: request.requestUrl,
    issued_at: formatTime(now),
    expires_at: formatTime(now + Math.trunc(request.lifespanMs * 1000)),
    csrf_token: request.csrfToken,
    identity_schema: request.schema,
    state: 'choose_method',
    active_method: '',
    context: {},
  }
}

/**
 * The schema of a flow.
 * @param id empty: the default one
 * @throws 400 for one that does not exist or that the configuration does not offer
 */
export function selectSchema(schemas: SchemaLookup, id: string): IdentitySchema {
  if (id === '' || id === schemas.default.id) return schemas.default
  const schema = schemas.get(id)
  if (schema?.id !== id) throw schemaUnknown(id)
  if (!schema.selectable) throw schemaNotSelectable(id)
  return schema
}

export function expiryOf(flow: Pick<Flow, 'expires_at'>, now: Micros): Expired | undefined {
  const since = now - parseTime(flow.expires_at)
  return since > 0 ? { at: flow.expires_at, since } : undefined
}

const CODE_LENGTH = 64

/**
 * The code for a native client that asks with `return_session_token_exchange_code`. Sign-in by password never needs
 * it; apps ask all the same, before they know which method a person will use.
 */
export async function exchangeCode(
  d: { clock: Clock; random: Random; exchanges: ExchangeStore },
  flow: NewFlow,
): Promise<string | undefined> {
  if (flow.type !== 'api' || !goBoolean(requestQuery(flow.request_url).get('return_session_token_exchange_code'))) {
    return undefined
  }
  const initCode = randomText(d.random, CODE_LENGTH)
  const row = {
    id: uuid(d.random),
    flowId: flow.id,
    initCode,
    returnToCode: randomText(d.random, CODE_LENGTH),
    now: formatTime(d.clock.now()),
  }
  await d.exchanges.insert(row)
  return initCode
}
