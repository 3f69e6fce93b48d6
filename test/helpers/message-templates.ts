import type { TemplatesConfig } from '../../src/courier/templates/sources.ts'
import { createMessageTemplates, type Failure } from '../../src/courier/templates/templates.ts'

export interface TemplateOptions {
  courier?: Partial<TemplatesConfig['courier']>
  cwd?: string
  now?(): number
  onFailure?(failure: Failure): void
}

/** Message templates with the texts that `courier` names, and built-in ones for the rest. */
export function messageTemplates({
  courier = {},
  cwd = process.cwd(),
  now = () => 0,
  onFailure = () => {},
}: TemplateOptions) {
  const clients = { http: { disallow_private_ip_ranges: false, private_ip_exception_urls: [] } }
  const config = { clients, courier: { templates: undefined, template_override_path: undefined, ...courier } }
  return createMessageTemplates(config, cwd, now, onFailure)
}

export const builtinTemplates = () => messageTemplates({})
