import http from 'node:http'
import https from 'node:https'
import { Jar } from './cookies.ts'
import { fill, fillDeep, type Vars } from './template.ts'

export interface RecordedRequest {
  method?: string
  url: string
  headers?: Record<string, string | null>
  jar?: string
  json?: unknown
  form?: Record<string, unknown> | [string, unknown][]
  text?: string
}

export interface Answer {
  method: string
  status: number
  headers: http.IncomingHttpHeaders
  setCookie: string[]
  body: unknown
  jar: Jar | undefined
}

const TIMEOUT_MS = 120_000

/** Sends one recorded request as it stands, dot segments and all; redirects are not followed. */
export async function send(request: RecordedRequest, vars: Vars, jars: Map<string, Jar>): Promise<Answer> {
  const url = String(fill(request.url, vars))
  const [, scheme, host, port, rest = ''] = /^(https?):\/\/(\[[^\]]+\]|[^/:?#]+)(?::(\d+))?([^#]*)/.exec(url)!
  const path = rest === '' || rest.startsWith('/') ? rest || '/' : `/${rest}`
  const method = request.method ?? 'GET'
  const { body, type } = bodyOf(request, method, vars)
  const headers: Record<string, string> = {
    'user-agent': 'wire-replay',
    ...(type === undefined ? {} : { 'content-type': type }),
  }
  const jar = request.jar === undefined ? undefined : jarNamed(jars, request.jar)
  const cookie = jar?.header(path.split('?')[0]!)
  if (cookie !== undefined) headers.cookie = cookie
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    if (value === null) delete headers[name.toLowerCase()]
    else headers[name.toLowerCase()] = String(fill(value, vars))
  }
  if (body !== undefined) headers['content-length'] ??= String(Buffer.byteLength(body))
  const answer = await exchange(scheme === 'https' ? https : http, { host, port, method, path, headers }, body)
  jar?.take(answer.setCookie)
  return { ...answer, method, jar }
}

function jarNamed(jars: Map<string, Jar>, name: string): Jar {
  const jar = jars.get(name) ?? new Jar()
  jars.set(name, jar)
  return jar
}

function bodyOf(request: RecordedRequest, method: string, vars: Vars): { body?: string; type?: string } {
  if ('json' in request) return { body: JSON.stringify(fillDeep(request.json, vars)), type: 'application/json' }
  if (request.form !== undefined) {
    const entries = Array.isArray(request.form) ? request.form : Object.entries(request.form)
    const pairs = entries.flatMap(([name, value]) => [value].flat().map((v) => [name, String(fill(String(v), vars))]))
    return {
      body: new URLSearchParams(pairs as [string, string][]).toString(),
      type: 'application/x-www-form-urlencoded',
    }
  }
  if (request.text !== undefined) return { body: String(fill(request.text, vars)) }
  return ['POST', 'PUT', 'PATCH'].includes(method) ? { body: '' } : {}
}

function exchange(
  client: typeof http | typeof https,
  options: {
    host: string | undefined
    port: string | undefined
    method: string
    path: string
    headers: Record<string, string>
  },
  body: string | undefined,
): Promise<Omit<Answer, 'method' | 'jar'>> {
  return new Promise((resolve, reject) => {
    const request = client.request(
      { ...options, agent: false, timeout: TIMEOUT_MS } as http.RequestOptions,
      (response) => {
        const parts: Buffer[] = []
        response.on('data', (part) => parts.push(part))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(parts).toString()
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            setCookie: response.headers['set-cookie'] ?? [],
            body: parse(text, response.headers['content-type'] ?? ''),
          })
        })
      },
    )
    request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)))
    request.on('error', reject)
    request.end(body)
  })
}

function parse(text: string, contentType: string): unknown {
  if (!contentType.includes('json') || text === '') return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
