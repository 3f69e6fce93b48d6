import { chmod, chown, lstat, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'

/** Ownership and permissions of a socket file. Names, or numbers as text; empty keeps those of the process. */
export interface SocketSettings {
  owner: string
  group: string
  mode: number
}

/** Removes the file that a killed process left. @throws Error when the path is something else, or a process listens there */
export async function freeSocketPath(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return
  if (!found.isSocket()) throw new Error(`${path} is there and is not a socket`)
  const refusal = await refusalOf(path)
  if (refusal === undefined || refusal === 'EAGAIN') throw new Error(`${path} is in use by another process`)
  if (refusal !== 'ECONNREFUSED' && refusal !== 'ENOENT')
    throw new Error(`whether a process listens at ${path} cannot be told (${refusal}): remove it if none does`)
  await rm(path, { force: true })
}

/** @returns the code of the refusal, EAGAIN where the queue of a listener is full; undefined where a process listens */
function refusalOf(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(undefined)
    })
    probe.once('error', ({ code = 'no code' }: NodeJS.ErrnoException) => resolve(code))
  })
}

/** @throws Error for an unknown name, or when the process may not change the owner */
export async function setSocketRights(path: string, { owner, group, mode }: SocketSettings): Promise<void> {
  await chmod(path, mode)
  if (owner === '' && group === '') return
  const uid = owner === '' ? -1 : await numberOf(owner, '/etc/passwd', 'user')
  const gid = group === '' ? -1 : await numberOf(group, '/etc/group', 'group')
  await chown(path, uid, gid)
}

/** The numeric id, read from the line of that name; Node has no function for it. */
async function numberOf(name: string, file: string, kind: string): Promise<number> {
  if (/^\d+$/.test(name)) return Number(name)
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n')
  const number = lines.map((line) => line.split(':')).find(([first]) => first === name)?.[2]
  if (number === undefined) throw new Error(`there is no ${kind} ${JSON.stringify(name)} in ${file}`)
  return Number(number)
}
