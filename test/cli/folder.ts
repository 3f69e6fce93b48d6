import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope } from '../helpers/db.ts'

/** An empty folder that goes when the test ends. */
export async function folder(t: Scope): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'lethe-cli-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}
