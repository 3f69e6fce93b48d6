/** `serve.*.host` as sockets take it: Kratos writes IPv6 addresses in brackets, as in a URL. */
export function socketHost(host: string): string {
  return /^\[(.*)\]$/.exec(host)?.[1] ?? host
}

/** Whether only programs of this machine can connect to the address. */
export function isLoopback(configured: string): boolean {
  const host = socketHost(configured)
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host) || host.startsWith('unix:')
}
