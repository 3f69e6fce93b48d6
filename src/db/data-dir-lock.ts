import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { kill, pid } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

/** Another process has the folder open. Two of them would write over each other's pages. */
export class DataDirInUse extends Error {
  override readonly name = 'DataDirInUse'
}

interface Owner {
  pid: number
  host: string
  /** boot of the machine and start of the process: tells a reused pid apart (Linux; '' elsewhere) */
  started: string
}

/** A process on another host, or in another container, shows only by writing its file this often. */
const TOUCH_MS = 1000
/** How long such a file must stand still to count as left behind; watched, as clocks of two hosts differ. */
const WATCH_MS = 5 * TOUCH_MS

/**
 * Takes the folder for this process by a file beside it and gives back the function that frees it. A file left by a
 * process that was killed is recognised and replaced.
 *
 * @throws DataDirInUse
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const file = `${resolve(dataDir)}.lock`
  await mkdir(dirname(file), { recursive: true })
  const me: Owner = { pid, host: hostname(), started: await startOf(pid) }
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const handle = await open(file, 'wx').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return undefined
      throw error
    })
    if (handle) {
      await handle.writeFile(JSON.stringify(me))
      await handle.close()
      return hold(file, JSON.stringify(me))
    }
    const text = await readFile(file, 'utf8').catch(() => undefined)
    if (text === undefined) continue
    await refuseIfAlive(file, text, dataDir)
    await removeStale(file, text)
  }
  throw new DataDirInUse(`the folder ${dataDir} is being opened by several processes at once; start one only`)
}

function hold(file: string, text: string): () => Promise<void> {
  const timer = setInterval(() => void writeFile(file, text, { flag: 'r+' }).catch(() => {}), TOUCH_MS)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await rm(file, { force: true })
  }
}

async function refuseIfAlive(file: string, text: string, dataDir: string): Promise<void> {
  const owner = parseOwner(text)
  const here = owner?.host === hostname()
  if (owner && here && !(await runs(owner))) return
  if (!here && (await standsStill(file))) return
  const who = owner ? `process ${owner.pid}${here ? '' : ` on host ${owner.host}`}` : 'another process'
  throw new DataDirInUse(
    `the folder ${dataDir} is in use by ${who}; stop it, choose another folder, or use postgres:// for several processes`,
  )
}

async function runs(owner: Owner): Promise<boolean> {
  try {
    kill(owner.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return (await startOf(owner.pid)) === owner.started
}

async function standsStill(file: string): Promise<boolean> {
  const before = await stat(file, { bigint: true }).catch(() => undefined)
  await sleep(WATCH_MS)
  const after = await stat(file, { bigint: true }).catch(() => undefined)
  return before?.mtimeNs === after?.mtimeNs
}

/** Moves the file away first: of two that found it stale, the slower one would else remove the lock of the faster one. */
async function removeStale(file: string, text: string): Promise<void> {
  const aside = `${file}.${pid}`
  try {
    await rename(file, aside)
    const live = await readFile(aside, 'utf8')
    if (live !== text) await writeFile(file, live, { flag: 'wx' })
  } catch {
    // gone or taken again meanwhile: the next attempt sees what is there
  } finally {
    await rm(aside, { force: true })
  }
}

async function startOf(id: number): Promise<string> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    const status = await readFile(`/proc/${id}/stat`, 'utf8')
    // the name of the program, in brackets, may hold spaces; the start is the 20th field after it
    return `${boot.trim()}/${status.slice(status.lastIndexOf(')') + 2).split(' ')[19]}`
  } catch {
    return ''
  }
}

function parseOwner(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Owner
    return Number.isInteger(owner.pid) && owner.pid > 0 ? owner : undefined
  } catch {
    return undefined
  }
}
