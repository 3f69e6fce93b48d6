import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Scope } from './db.ts'

/** A web hook that a test does something during. */
export interface HookReceiver {
  hook: { hook: 'web_hook'; config: { url: string; method: 'POST'; can_interrupt: true } }
  /** runs while a request waits for the hook */
  meanwhile(): Promise<void>
}

export async function hookReceiver(t: Scope): Promise<HookReceiver> {
  const server = createServer((req, res) => {
    req.resume().on('end', () => receiver.meanwhile().then(() => res.writeHead(204).end()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const receiver: HookReceiver = {
    hook: { hook: 'web_hook', config: { url, method: 'POST', can_interrupt: true } },
    async meanwhile() {},
  }
  return receiver
}
