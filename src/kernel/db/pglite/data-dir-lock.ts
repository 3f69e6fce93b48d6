import { mkdir, open, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Another process has the folder open. Two of them would write over each other's pages. */
export class DataDirInUse extends Error {
  override readonly name = 'DataDirInUse'
}

/** The folder, or the file of its lock beside it, cannot be written. */
export class DataDirUnusable extends Error {
  override readonly name = 'DataDirUnusable'
}

interface Owner {
  host: string
  pid: string
  /** when the process started, in ticks since boot: tells a reused pid apart */
  started: string
  /** boot and process namespace in which the pid means something; '' where there is no /proc */
  space: string
}

/** A process that cannot be looked up (another host, another container, no /proc) proves itself by touching its file. */
const TOUCH_MS = 1000
/** A file that was not touched for this long is stale; its changes are watched, as clocks of two hosts differ. */
const WATCH_MS = 5 * TOUCH_MS

/**
 * Locks the folder for this process by a file beside it and returns the function that unlocks it. A file of a
 * killed process is recognised and replaced.
 *
 * @throws DataDirInUse, DataDirUnusable
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const file = `${resolve(dataDir)}.lock`
  const refuse = (cause: NodeJS.ErrnoException): never => {
    const advice = 'let the user of this process write there, or choose another folder'
    throw new DataDirUnusable(`the folder ${dataDir} cannot be used (${cause.message}): ${advice}`, { cause })
  }
  await mkdir(dirname(file), { recursive: true, mode: 0o700 }).catch(refuse)
  const me = await myself()
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const handle = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
      return error.code === 'EEXIST' ? undefined : refuse(error)
    })
    if (handle) {
      await handle.writeFile(JSON.stringify(me))
      await handle.close()
      return hold(file, JSON.stringify(me))
    }
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      return error.code === 'ENOENT' ? undefined : refuse(error)
    })
    if (text === undefined) continue
    await refuseIfAlive(file, text, me, dataDir)
    await removeStale(file, text, `${file}.${me.host}.${me.pid}`)
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

async function refuseIfAlive(file: string, text: string, me: Owner, dataDir: string): Promise<void> {
  const owner = parseOwner(text)
  const known = owner !== undefined && owner.space !== '' && owner.space === me.space
  const started = known ? await startOf(owner.pid) : undefined
  const gone = started === undefined ? await standsStill(file) : started !== owner?.started
  if (gone) return
  const who = owner ? `process ${owner.pid || '(number unknown)'} on ${owner.host}` : 'another process'
  throw new DataDirInUse(
    `the folder ${dataDir} is in use by ${who}; stop it, choose another folder, or use postgres:// for several processes`,
  )
}

async function standsStill(file: string): Promise<boolean> {
  const before = await stat(file, { bigint: true }).catch(() => undefined)
  await sleep(WATCH_MS)
  const after = await stat(file, { bigint: true }).catch(() => undefined)
  return before?.mtimeNs === after?.mtimeNs
}

/** Moves the file away first: of two that found it stale, the slower one would otherwise remove the lock of the faster one. */
async function removeStale(file: string, text: string, aside: string): Promise<void> {
  try {
    await rename(file, aside)
    const live = await readFile(aside, 'utf8')
    if (live !== text) await writeFile(file, live, { flag: 'wx', mode: 0o600 })
  } catch {
    // gone or locked again meanwhile: the next attempt finds out
  } finally {
    await rm(aside, { force: true })
  }
}

async function myself(): Promise<Owner> {
  try {
    const pid = await readlink('/proc/self')
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
    const space = `${boot} ${await readlink('/proc/self/ns/pid')}`
    const started = await startOf(pid)
    return { host: hostname(), pid, started: started ?? '', space: started ? space : '' }
  } catch {
    return { host: hostname(), pid: '', started: '', space: '' }
  }
}

/** '' for a process that is not running; undefined where that cannot be told, as when no file can be opened any more. */
async function startOf(pid: string): Promise<string | undefined> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
    // ESRCH: it ended while its file was read
    return code === 'ENOENT' || code === 'ESRCH' ? '' : undefined
  })
  if (status === undefined) return undefined
  // the name of the program, in brackets, may hold spaces; the start is the 20th field after it
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
  // a process that has ended keeps its number until its parent asks for it
  return fields[0] === 'Z' ? '' : (fields[19] ?? '')
}

function parseOwner(text: string): Owner | undefined {
  try {
    const { host, pid, started, space } = JSON.parse(text) as Record<keyof Owner, unknown>
    return /^\d*$/.test(String(pid))
      ? { host: String(host), pid: String(pid), started: String(started), space: String(space) }
      : undefined
  } catch {
    return undefined
  }
}
