import { Client, type Reply } from './client.ts'
import type { TestServer } from './server.ts'

type Sent = Parameters<Client['send']>[2]

/** Remembers every secret that it sees, and what left the server by ways that no secret may take. */
export class Spy {
  readonly secrets = new Map<string, string>()
  /** what left the server by a way that no secret may take */
  readonly told: { where: string; text: string }[] = []
  readonly server: TestServer
  constructor(server: TestServer) {
    this.server = server
  }

  keep(what: string, value: unknown): void {
    if (typeof value === 'string' && value.length >= 8) this.secrets.set(value, what)
  }

  client(): SpyingClient {
    return new SpyingClient(this.server, this)
  }

  note(where: string, reply: Reply): void {
    for (const line of reply.setCookie) this.keep('cookie', line.slice(line.indexOf('=') + 1).split(';')[0])
    this.keep('session token', reply.body?.session_token)
    this.keep('logout token', reply.body?.logout_token)
    const csrfTokens: string[] = (reply.body?.ui?.nodes ?? [])
      .filter((node: any) => node.attributes.name === 'csrf_token')
      .map((node: any) => node.attributes.value)
    for (const token of csrfTokens) this.keep('anti-CSRF token', token)
    for (const [, token] of reply.text.matchAll(/name="csrf_token"[^>]*value="([^"]+)"/g))
      this.keep('anti-CSRF token', token)
    reply.headers.forEach((value, name) => {
      if (name !== 'set-cookie') this.told.push({ where: `${where}: header ${name}`, text: value })
    })
    // A form that is shown again brings the token for its next try.
    const body = reply.status < 400 ? '' : csrfTokens.reduce((text, token) => text.replaceAll(token, ''), reply.text)
    this.told.push({ where: `${where}: body of a ${reply.status}`, text: body })
  }

  found(): string[] {
    return this.told.flatMap(({ where, text }) =>
      [...this.secrets]
        .filter(([value]) => text.includes(value))
        .map(([value, what]) => `${what} ${value} in ${where}`),
    )
  }
}

export class SpyingClient extends Client {
  readonly spy: Spy
  constructor(server: TestServer, spy: Spy) {
    super(server)
    this.spy = spy
  }
  override async send(method: string, target: string, options: Sent = {}): Promise<Reply> {
    const reply = await super.send(method, target, options)
    this.spy.note(`${method} ${target.replace(/\?.*/, '')}`, reply)
    return reply
  }
}
