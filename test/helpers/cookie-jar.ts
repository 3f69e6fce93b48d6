/** The cookies of one browser that visits one server: the last value of each name, without those that were cleared. */
export function cookieJar() {
  const cookies = new Map<string, string>()
  return {
    /** Takes what an answer sets. */
    take(setCookie: readonly string[] | undefined): void {
      for (const line of setCookie ?? []) {
        const [pair, ...attributes] = line.split(';').map((part) => part.trim())
        const at = pair!.indexOf('=')
        const name = pair!.slice(0, at)
        if (attributes.some((attribute) => /^max-age=(0|-\d+)$/i.test(attribute))) cookies.delete(name)
        else cookies.set(name, pair!.slice(at + 1))
      }
    },
    /** The `Cookie` header of the next request. */
    header: () => [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
    names: () => [...cookies.keys()],
  }
}
