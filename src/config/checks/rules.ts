import { at } from '../sources/sources.ts'
import { type Loaded, problemAt } from './locate.ts'
import type { ConfigProblem } from './problems.ts'

/**
 * Rules across keys, which the schema of one key cannot check. Works on the merged files as they are, so that these problems
 * are reported together with those of the schema.
 */
export function checkRules(loaded: Loaded): ConfigProblem[] {
  const get = (name: string) => at(loaded.merged, name.split('.'))
  const problem = (name: string, reason: string, hint?: string) => problemAt(loaded, name.split('.'), reason, { hint })
  const problems: ConfigProblem[] = []

  for (const port of ['public', 'admin']) {
    const half = (name: string) => ['path', 'base64'].some((kind) => get(`serve.${port}.tls.${name}.${kind}`))
    if (half('cert') !== half('key')) {
      // Kratos then serves plain HTTP and logs nothing.
      const given = half('cert') ? 'cert' : 'key'
      const reason = `half a TLS pair: ${given} is set and ${given === 'cert' ? 'key' : 'cert'} is not`
      problems.push(problem(`serve.${port}.tls`, reason, 'set both, or none for plain HTTP'))
    }
  }
  const algorithm = get('ciphers.algorithm')
  if ((algorithm === 'aes' || algorithm === 'xchacha20-poly1305') && get('secrets.cipher') === undefined) {
    problems.push(problem('secrets.cipher', 'missing properties: "cipher"', `ciphers.algorithm ${algorithm} needs it`))
  }
  const schemas = get('identity.schemas')
  const wanted = get('identity.default_schema_id') ?? 'default'
  if (Array.isArray(schemas) && schemas.length > 0 && typeof wanted === 'string') {
    const ids = schemas.map((schema: unknown) => at(schema, ['id'])).filter((id) => typeof id === 'string')
    if (!ids.includes(wanted)) {
      const reason = `no schema with the id ${JSON.stringify(wanted)} in identity.schemas`
      problems.push(problem('identity.default_schema_id', reason, `the list has ${ids.join(', ') || 'none'}`))
    }
  }
  for (const method of ['webauthn', 'passkey']) {
    const name = `selfservice.methods.${method}`
    if (get(`${name}.enabled`) === true && get(`${name}.config`) === undefined) {
      problems.push(
        problem(`${name}.config`, 'one or more required properties are missing (missing properties: "config")'),
      )
    }
  }
  const ids = list(get('lethe.events.webhooks')).map((webhook) => at(webhook, ['id']))
  for (const [index, id] of ids.entries()) {
    if (id !== undefined && ids.indexOf(id) !== index)
      problems.push(problem(`lethe.events.webhooks.${index}.id`, 'used twice'))
  }
  const providers = list(get('selfservice.methods.oidc.config.providers')).map((provider) => at(provider, ['id']))
  const named = list(get('lethe.providers')).map((provider) => at(provider, ['id']))
  for (const [index, id] of named.entries()) {
    const name = `lethe.providers.${index}.id`
    // A restriction of a misspelt provider would restrict nothing.
    if (id !== undefined && !providers.includes(id)) {
      problems.push(problem(name, `no provider with the id ${JSON.stringify(id)} in selfservice.methods.oidc`))
    }
    if (id !== undefined && named.indexOf(id) !== index) problems.push(problem(name, 'used twice'))
  }
  return problems
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
