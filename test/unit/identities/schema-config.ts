import type { SchemaConfig } from '../../../src/identities/schema/schemas.ts'

export const CLIENTS: SchemaConfig['clients'] = {
  http: { disallow_private_ip_ranges: false, private_ip_exception_urls: [] },
}

/** The configuration of these schema documents; the first one is the default. */
export function schemaConfig(documents: Record<string, unknown>): SchemaConfig {
  const schemas = Object.entries(documents).map(([id, document]) => ({ id, url: base64Url(document) }))
  return {
    identity: { default_schema_id: schemas[0]!.id, schemas },
    clients: CLIENTS,
  }
}

export function base64Url(document: unknown): string {
  const text = typeof document === 'string' ? document : JSON.stringify(document)
  return `base64://${Buffer.from(text).toString('base64')}`
}

/** An identity schema with these traits. */
export function traitsSchema(properties: Record<string, unknown>, more: Record<string, unknown> = {}) {
  return { type: 'object', properties: { traits: { type: 'object', properties, ...more } } }
}
