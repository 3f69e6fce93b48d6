import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { configurationDocs } from './generators/configuration-docs.ts'
import { configurationSchema } from './generators/configuration-schema.ts'
import type { Generator } from './generators/generator.ts'
import { openapi } from './generators/openapi.ts'
import { wireCoverage } from './generators/wire-coverage.ts'

/** Every committed file that is made from code. To add one, write a generator and name it here. */
const generators: readonly Generator[] = [configurationDocs, configurationSchema, openapi, wireCoverage]

const root = new URL('../', import.meta.url)
const check = process.argv.includes('--check')
const stale: string[] = []

for (const { file, generate } of generators) {
  const target = new URL(file, root)
  const wanted = await generate()
  if (read(target) === wanted) continue
  stale.push(file)
  if (!check) {
    mkdirSync(dirname(target.pathname), { recursive: true })
    writeFileSync(target, wanted)
  }
}

if (stale.length > 0)
  console.log(check ? `stale, run \`npm run generate\`: ${stale.join(', ')}` : `written: ${stale.join(', ')}`)
if (check && stale.length > 0) process.exitCode = 1

function read(target: URL): string | undefined {
  try {
    return readFileSync(target, 'utf8')
  } catch {
    return undefined
  }
}
