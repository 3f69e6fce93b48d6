import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const manifest: Manifest = JSON.parse(read('package.json'))
const lock: { packages: Record<string, LockEntry> } = JSON.parse(read('package-lock.json'))

interface Manifest {
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
  overrides: Record<string, string>
}

interface LockEntry extends Partial<Manifest> {
  version?: string
  resolved?: string
  integrity?: string
  dev?: boolean
  os?: string[]
  optionalDependencies?: Record<string, string>
}

const direct = { ...manifest.dependencies, ...manifest.devDependencies }
const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/

describe('dependencies', () => {
  it('are pinned to one version each', () => {
    const versions = { ...direct, ...manifest.overrides }
    const loose = Object.entries(versions).filter(([, version]) => !EXACT.test(version.replace(/^npm:.+@/, '')))
    assert.deepEqual(loose, [])
  })

  it('are the ones in the lockfile', () => {
    const { dependencies, devDependencies } = lock.packages['']!
    assert.deepEqual({ ...dependencies, ...devDependencies }, direct)
  })

  it('come from whichever registry the machine uses, and are checked against their hash', () => {
    const entries = Object.entries(lock.packages).filter(([path]) => path !== '')
    assert.ok(entries.length > 50)
    assert.deepEqual(
      entries.filter(([, entry]) => entry.resolved !== undefined),
      [],
      'the lockfile names a registry; .npmrc has omit-lockfile-registry-resolved for this',
    )
    assert.deepEqual(
      entries
        .filter(([, entry]) => !entry.integrity?.startsWith('sha512-') && !isForeignTool(entry))
        .map(([path]) => path),
      [],
    )
  })

  it('are there for every platform, else `npm ci` refuses the lockfile', () => {
    const names = new Set(Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, '')))
    const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {}).flatMap((name) => (names.has(name) ? [] : [`${path} → ${name}`])),
    )
    assert.deepEqual(missing, [], 'not every registry has every binary; write the entry by hand')
  })

  it('are all explained in docs/adr/0001-stack.md, and nothing else is', () => {
    const cells = [...read('docs/adr/0001-stack.md').matchAll(/^\| (`[^|]+`) \|/gm)].map((row) => row[1]!)
    const explained = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((name) => name[1]!))
    assert.deepEqual(explained.sort(), Object.keys(direct).sort())
  })

  it('of the server are those that src imports', () => {
    const used = new Set(importedPackages('src'))
    assert.deepEqual(
      [...used].filter((name) => manifest.dependencies[name] === undefined),
      [],
      'imported but not installed with the server',
    )
    assert.deepEqual(
      Object.keys(manifest.dependencies).filter((name) => !used.has(name)),
      [],
      'installed with the server but imported nowhere',
    )
  })
})

/** Binaries of development tools for other platforms: their hash is not to be had where the registry leaves them out. */
const isForeignTool = (entry: LockEntry) => entry.dev === true && entry.os !== undefined

function importedPackages(folder: string): string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  const files = names.filter((name) => /\.m?[jt]s$/.test(name))
  const pattern = /(?:^(?:import|export|\})[^'\n]*\sfrom\s+|\bimport\(\s*|^import\s+)'([^'.][^']*)'/gm
  return files
    .flatMap((file) => [...read(join(folder, file)).matchAll(pattern)].map((match) => match[1]!))
    .filter((name) => !name.startsWith('node:') && !builtinModules.includes(name))
    .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
}
