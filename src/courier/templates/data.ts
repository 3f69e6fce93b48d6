import type { Json } from '../../identities/types.ts'
import { parseUrl } from '../../kernel/base/url.ts'
import { MODELS } from '../gotemplate/models.ts'
import type { Channel, Message, TemplateType } from '../types.ts'

/** The data of a template: the members of its model by their Go names. */
export interface TemplateData {
  model: string
  members: Record<string, unknown>
}

/** A page to enter a recovery code. Kratos's templates have no such member; empty for flows without one. */
const RECOVERY_PAGE = 'RecoveryURL'

/** What the template of a message sees, from the values that are stored with it. */
export function templateData({ type, channel, recipient, data, requestHeaders }: Message): TemplateData {
  const model = modelOf(type, channel)
  const members: Record<string, unknown> = {}
  for (const { name, json } of MODELS.get(model) ?? []) {
    const value = json === undefined ? undefined : data[json]
    if (value !== undefined) members[name] = value
  }
  members.To ??= recipient
  if (type === 'recovery_code_valid') members.RecoveryCode = data.recovery_code ?? members.RecoveryCode ?? ''
  if (type === 'recovery_code_valid' && channel === 'email') members[RECOVERY_PAGE] = data.recovery_url ?? ''
  if (type === 'recovery_code_valid' && channel === 'sms') members.RequestURLDomain ||= hostOf(data.request_url)
  if (type === 'registration_code_valid') {
    const member = channel === 'sms' ? 'Identity' : 'Traits'
    members[member] ??= data.traits ?? data.identity
  }
  if (requestHeaders) members.UserRequestHeaders = requestHeaders
  return { model, members }
}

export function modelOf(type: TemplateType, channel: Channel): string {
  return `${channel}.${type}`
}

function hostOf(url: Json | undefined): string {
  return typeof url === 'string' ? (parseUrl(url)?.hostname ?? '') : ''
}
