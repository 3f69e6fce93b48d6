import { posix } from 'node:path'
import { type Func, func } from './signature.ts'

const path = (call: (path: string) => string | boolean) => func('string', ([of]: readonly [string]) => call(of))

const base = path((of) => (of === '' ? '.' : /^\/+$/.test(of) ? '/' : posix.basename(of)))
const dir = path((of) => clean(of.slice(0, of.lastIndexOf('/') + 1)))
const ext = path((of) => {
  const name = of.slice(of.lastIndexOf('/') + 1)
  return name.includes('.') ? name.slice(name.lastIndexOf('.')) : ''
})
const cleaned = path(clean)
const isAbs = path((of) => of.startsWith('/'))

/** The rules of URLs and of Linux alike. @see https://masterminds.github.io/sprig/paths.html */
export const PATHS: Record<string, Func> = {
  base,
  dir,
  ext,
  clean: cleaned,
  isAbs,
  osBase: base,
  osDir: dir,
  osExt: ext,
  osClean: cleaned,
  osIsAbs: isAbs,
}

function clean(of: string): string {
  const normal = posix.normalize(of)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}
