import { chmod, lstat, mkdir, readdir, stat } from 'node:fs/promises'
import { platform } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** Other users of the machine could read or change the database, and this process cannot prevent it. */
export class DataDirOpen extends Error {
  override readonly name = 'DataDirOpen'
}

const OTHERS = 0o077
const WRITABLE_BY_ALL = 0o002
const STICKY = 0o1000

/**
 * Creates the folder, or removes the access of other users to it: it holds the hashes of passwords and the server's
 * secret. Call it before anything is written into the folder.
 *
 * @param warn called when it was open, since others may have read it
 * @throws DataDirOpen where the folder is open and belongs to another user
 */
export async function closeDataDir(dataDir: string, warn: (message: string) => void): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  // Windows has no such permissions; Node makes some up.
  if (platform() === 'win32') return
  const { mode: before } = await stat(dataDir)
  if ((before & OTHERS) !== 0) await closeOpen(dataDir, before, warn)
  const parent = dirname(resolve(dataDir))
  const { mode } = await stat(parent)
  if ((mode & WRITABLE_BY_ALL) !== 0 && (mode & STICKY) === 0) {
    warn(`every user of this machine may rename ${dataDir} and put another in its place: run \`chmod o-w ${parent}\``)
  }
}

async function closeOpen(dataDir: string, before: number, warn: (message: string) => void): Promise<void> {
  const was = `the folder ${dataDir} was open to other users of this machine (mode ${octal(before)})`
  await chmod(dataDir, 0o700).catch((cause: Error) => {
    throw new DataDirOpen(
      `the folder ${dataDir} is open to other users of this machine (mode ${octal(before)}) and cannot be closed (${cause.message}): give it to the user of this process with mode 0700, or choose another folder`,
      { cause },
    )
  })
  const { mode } = await stat(dataDir)
  if ((mode & OTHERS) === 0) warn(`${was} and is closed now; what it holds may have been read`)
  else warn(`${was} and stays so, as its file system keeps no permissions: choose a folder on another one`)
}

/**
 * Removes the access of other users inside as well: the engine unpacks its files readable and writable for all, and a copy
 * of the folder may lose the mode of the folder but keep theirs. Links are not followed, since they lead outside.
 */
export async function closeFiles(dir: string): Promise<void> {
  if (platform() === 'win32') return
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name)
    if (!entry.isFile() && !entry.isDirectory()) continue
    try {
      const { mode } = await lstat(path)
      if ((mode & OTHERS) !== 0) await chmod(path, mode & 0o700)
      if (entry.isDirectory()) await closeFiles(path)
    } catch {
      // gone meanwhile, or of another user: the folder around it is closed
    }
  }
}

const octal = (mode: number) => (mode & 0o777).toString(8).padStart(4, '0')
