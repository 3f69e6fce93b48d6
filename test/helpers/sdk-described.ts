import assert from 'node:assert/strict'
import { Ajv } from 'ajv'
import { apiDocument } from '../../src/api.ts'

interface Answer {
  status: number
  data: unknown
  config: { method?: string; url?: string }
}
interface Described {
  responses: Record<string, { content?: Record<string, { schema: object }> }>
}

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/
const document = asDraft7(apiDocument('test')) as { paths: Record<string, Record<string, Described>> }
const ajv = new Ajv({
  strict: false,
  formats: { uuid: UUID, 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/ },
}).addSchema(document, 'api')
const templates = Object.keys(document.paths).map((template) => ({
  template,
  matches: new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`),
}))

/** `nullable` without a type, as a generator of clients reads it. */
function asDraft7(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asDraft7)
  if (typeof value !== 'object' || value === null) return value
  const read = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, asDraft7(member)]))
  if (read.nullable !== true || 'type' in read) return read
  const { nullable: _, ...schema } = read
  return { anyOf: [{ type: 'null' }, schema] }
}

/** An answer must be what the description says of its operation and status: a client of a typed language reads no other. */
export function assertDescribed({ status, data, config }: Answer): void {
  const { pathname } = new URL(config.url ?? '')
  const { template } = templates.find(({ matches }) => matches.test(pathname)) ?? assert.fail(`${pathname} is unknown`)
  const { responses } = document.paths[template]?.[config.method ?? ''] ?? assert.fail(`${config.method} ${template}`)
  const key = String(status) in responses ? String(status) : 'default'
  if (!responses[key]?.content?.['application/json']) return assert.ok(data === '' || typeof data === 'string')
  const words = ['paths', template, config.method ?? '', 'responses', key, 'content', 'application/json', 'schema']
  const pointer = words.map((word) => encodeURIComponent(word.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')
  const verdict = ajv.compile({ $ref: `api#/${pointer}` })
  assert.ok(verdict(data), `${config.method} ${template} ${status}: ${ajv.errorsText(verdict.errors)}`)
}

/** A generated client whose every answer, refused ones too, is checked. @param called takes the names of operations */
export function checkedClient<T extends object>(client: T, called: Set<string>): T {
  return new Proxy(client, {
    get(target, name: string) {
      const member = target[name as keyof T] as unknown
      if (typeof member !== 'function') return member
      return async (...args: unknown[]) => {
        called.add(name)
        try {
          const answer: Answer = await member.apply(target, args)
          assertDescribed(answer)
          return answer
        } catch (thrown) {
          const { response } = thrown as { response?: Answer }
          if (response) assertDescribed(response)
          throw thrown
        }
      }
    },
  })
}

export const operationsOf = (...clients: { prototype: object }[]): string[] =>
  clients.flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype)).filter((name) => name !== 'constructor')
