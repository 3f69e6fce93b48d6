/** A JSON schema in the dialect of OpenAPI 3.0. */
export type Schema = { readonly [keyword: string]: unknown }

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  description: string
  schema: Schema
}

export interface Answer {
  description: string
  /** absent: no body */
  content?: { readonly [type: string]: { schema: Schema } }
  headers?: { readonly [name: string]: { description: string; schema: Schema } }
}

/** One route, described for its callers. */
export interface Operation {
  id: string
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** `/sessions/{id}`; on the admin port with its prefix */
  path: string
  port: 'public' | 'admin' | 'both'
  summary: string
  parameters?: readonly Parameter[]
  body?: { required: boolean; content: { readonly [type: string]: { schema: Schema } } }
  answers: { readonly [status: string]: Answer }
}

/** The routes of a feature, with the schemas of their answers. */
export interface Description {
  tag: string
  operations: readonly Operation[]
  schemas: { readonly [name: string]: Schema }
}

export const text: Schema = { type: 'string' }
export const bool: Schema = { type: 'boolean' }
export const integer: Schema = { type: 'integer', format: 'int64' }
export const number: Schema = { type: 'number' }
export const uuid: Schema = { type: 'string', format: 'uuid' }
export const time: Schema = { type: 'string', format: 'date-time' }
export const anything: Schema = {}
export const map: Schema = { type: 'object', additionalProperties: true }
export const oneWord = (...words: string[]): Schema => ({ type: 'string', enum: words })
export const list = (items: Schema): Schema => ({ type: 'array', items })
/** Members beside `$ref` are ignored, and an enumeration has to list null itself. @see OpenAPI 3.0.3 §4.7.24 */
export function nullable(schema: Schema): Schema {
  if ('$ref' in schema) return { nullable: true, allOf: [schema] }
  return Array.isArray(schema.enum)
    ? { ...schema, nullable: true, enum: [...schema.enum, null] }
    : { ...schema, nullable: true }
}
export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })
/** Members may be added in later versions: clients must ignore those they do not know. */
export const object = (required: Record<string, Schema>, optional: Record<string, Schema> = {}): Schema => ({
  type: 'object',
  ...(Object.keys(required).length === 0 ? {} : { required: Object.keys(required) }),
  properties: { ...required, ...optional },
})

export const query = (name: string, description: string, schema: Schema = text): Parameter => ({
  name,
  in: 'query',
  description,
  schema,
})
export const needed = (parameter: Parameter): Parameter => ({ ...parameter, required: true })
export const inPath = (name: string, description: string, schema: Schema = text): Parameter => ({
  name,
  in: 'path',
  required: true,
  description,
  schema,
})
export const header = (name: string, description: string): Parameter => ({
  name,
  in: 'header',
  description,
  schema: text,
})

export const SESSION_TOKEN = header('X-Session-Token', 'Session token of an app without cookies; wins over a cookie.')
export const COOKIE = header('Cookie', 'Cookies of a browser, when another server sends them on.')
export const PAGE_SIZE = query('page_size', 'Rows on a page.', integer)
export const PAGE_TOKEN = query('page_token', 'Where the page begins, from the `Link` header of the one before.')
/** Pages by number, the older way. */
export const PAGE_NUMBERS = [
  query('per_page', 'Rows on a page, with `page`. Use `page_size`.', integer),
  query('page', 'Number of the page. Use `page_token`.', integer),
]

export const json = (description: string, schema: Schema | string): Answer => ({
  description,
  content: { 'application/json': { schema: typeof schema === 'string' ? ref(schema) : schema } },
})
export const empty = (description: string): Answer => ({ description })
export const plain = (description: string, type = 'text/plain'): Answer => ({
  description,
  content: { [type]: { schema: text } },
})
export const error = (description: string): Answer => json(description, 'errorGeneric')
export const OTHER_ERRORS = { default: error('Any other error, for instance 503 while the database is away.') }
/** A browser is redirected, a script that asks for JSON is not. */
export const SENT_ON = empty('The browser is sent on; `Location` says where.')

export const jsonBody = (schema: string, required = true) => ({
  required,
  content: { 'application/json': { schema: ref(schema) } },
})
export const formOrJsonBody = (schema: string, required = true) => ({
  required,
  content: {
    'application/json': { schema: ref(schema) },
    'application/x-www-form-urlencoded': { schema: ref(schema) },
  },
})

/** Joins the descriptions to one document. @throws Error when two operations, or two schemas, have the same name */
export function openapiDocument(descriptions: readonly Description[], version: string): Schema {
  const paths: Record<string, Record<string, unknown>> = {}
  const schemas: Record<string, Schema> = {}
  const ids = new Set<string>()
  for (const { tag, operations, schemas: own } of descriptions) {
    for (const [name, schema] of Object.entries(own)) {
      if (schemas[name]) throw new Error(`the schema ${name} is described twice`)
      schemas[name] = schema
    }
    for (const operation of operations) {
      const { id, method, path, port, summary, parameters, body, answers } = operation
      if (ids.has(id)) throw new Error(`the operation ${id} is described twice`)
      ids.add(id)
      paths[path] ??= {}
      if (paths[path][method]) throw new Error(`${method} ${path} is described twice`)
      paths[path][method] = {
        operationId: id,
        summary,
        tags: [tag],
        'x-port': port,
        ...(parameters === undefined ? {} : { parameters }),
        ...(body === undefined ? {} : { requestBody: body }),
        responses: answers,
      }
    }
  }
  return {
    openapi: '3.0.3',
    info: {
      title: 'Lethe',
      version,
      description:
        'Sessions and how they end. `x-port` says where an operation is served: `public` (4433) or `admin` (4434, where the prefix /admin may be left out).',
      license: { name: 'Apache 2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    paths: sorted(paths),
    components: { schemas: sorted(schemas) },
  }
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}
