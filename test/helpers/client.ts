import { randomBytes } from 'node:crypto'
import { Jar } from '../wire/cookies.ts'
import type { TestServer } from './server.ts'

export interface Reply {
  status: number
  headers: Headers
  setCookie: string[]
  body: any
  text: string
}

export interface Person {
  identityId: string
  email: string
  password: string
}

export const PASSWORD = 'a-quiet-Harbour-92'

/** A client over real HTTP: a cookie jar when it is a browser, none when it is an app. Redirects are not followed. */
export class Client {
  readonly jar = new Jar()
  readonly server: Pick<TestServer, 'publicUrl' | 'adminUrl'>

  constructor(server: Pick<TestServer, 'publicUrl' | 'adminUrl'>) {
    this.server = server
  }

  /** @param target a path on the public port, or a whole URL */
  async send(
    method: string,
    target: string,
    options: {
      headers?: Record<string, string>
      json?: unknown
      form?: Record<string, string> | [string, string][]
      body?: string | Buffer
    } = {},
  ): Promise<Reply> {
    const url = target.startsWith('http') ? target : this.server.publicUrl + target
    const cookie = this.jar.header(new URL(url).pathname)
    const body =
      options.json !== undefined
        ? JSON.stringify(options.json)
        : options.form
          ? new URLSearchParams(options.form).toString()
          : options.body
    const type =
      options.json !== undefined ? 'application/json' : options.form ? 'application/x-www-form-urlencoded' : undefined
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        ...(type === undefined ? {} : { 'content-type': type }),
        ...(cookie === undefined ? {} : { cookie }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body: body as string }),
    })
    const text = await response.text()
    const setCookie = response.headers.getSetCookie()
    this.jar.take(setCookie)
    return { status: response.status, headers: response.headers, setCookie, text, body: parse(text) }
  }

  get(target: string, headers?: Record<string, string>): Promise<Reply> {
    return this.send('GET', target, headers === undefined ? {} : { headers })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export async function createPerson(
  server: Pick<TestServer, 'publicUrl' | 'adminUrl'>,
  traits: Record<string, unknown> = {},
): Promise<Person> {
  const email = `p${randomBytes(8).toString('hex')}@example.com`
  const reply = await new Client(server).send('POST', `${server.adminUrl}/admin/identities`, {
    json: {
      schema_id: 'default',
      traits: { email, ...traits },
      credentials: { password: { config: { password: PASSWORD } } },
    },
  })
  if (reply.status !== 201) throw new Error(`identity not created: ${reply.text}`)
  return { identityId: reply.body.id, email, password: PASSWORD }
}

/** Signs in as a single-page app does. The client's jar holds the cookies afterwards. */
export async function signIn(client: Client, person: Person): Promise<{ sessionId: string; csrfToken: string }> {
  const flow = await client.get('/self-service/login/browser')
  const csrf_token = csrfOf(flow.body)
  const reply = await client.send('POST', pathOf(flow.body.ui.action), {
    json: { method: 'password', identifier: person.email, password: person.password, csrf_token },
  })
  if (reply.status !== 200) throw new Error(`not signed in: ${reply.status} ${reply.text}`)
  return { sessionId: reply.body.session.id, csrfToken: csrf_token }
}

/** Signs in as an app does. */
export async function signInNative(
  server: Pick<TestServer, 'publicUrl' | 'adminUrl'>,
  person: Person,
): Promise<{ sessionId: string; token: string }> {
  const client = new Client(server)
  const flow = await client.get('/self-service/login/api')
  const reply = await client.send('POST', pathOf(flow.body.ui.action), {
    json: { method: 'password', identifier: person.email, password: person.password },
  })
  if (reply.status !== 200) throw new Error(`not signed in: ${reply.status} ${reply.text}`)
  return { sessionId: reply.body.session.id, token: reply.body.session_token }
}

/** A token that fits the browser's present anti-CSRF cookie, from a form made just now. */
export async function freshCsrfToken(client: Client): Promise<string> {
  return csrfOf((await client.get('/self-service/login/browser?refresh=true')).body)
}

export function csrfOf(flow: { ui: { nodes: { attributes: { name: string; value: string } }[] } }): string {
  return flow.ui.nodes.find(({ attributes }) => attributes.name === 'csrf_token')!.attributes.value
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url)
  return pathname + search
}

export async function isSignedIn(client: Client, headers: Record<string, string> = {}): Promise<boolean> {
  const { status } = await client.get('/sessions/whoami', headers)
  if (status !== 200 && status !== 401) throw new Error(`whoami answered ${status}`)
  return status === 200
}
