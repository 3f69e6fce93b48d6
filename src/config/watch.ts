import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import type { LoadedConfig, LoadOptions } from './load.ts'
import { type ConfigChange, reloadConfig } from './reload.ts'

export interface WatchOptions extends LoadOptions {
  /** the configuration in force */
  readonly initial: LoadedConfig
  /** Applies a change. When it throws or rejects, the old configuration stays in force and `onError` is called. */
  readonly onChange: (change: ConfigChange) => void | Promise<void>
  /** A changed file could not be used. Called once for each state of the files. */
  readonly onError: (error: Error) => void
  /** Milliseconds between two polls of the files. @default 1000 */
  readonly pollMs?: number
  /** Milliseconds without a change before the files are read, so that no half-written one is. @default 100 */
  readonly settleMs?: number
}

export interface ConfigWatcher {
  readonly current: () => LoadedConfig
  /** Polls the files now. Resolves when a change has been applied or refused. */
  readonly check: () => Promise<void>
  readonly close: () => void
}

/**
 * Watches the files and reloads when one changes: written, replaced by rename, or behind a swapped symbolic link
 * (`kratos.yaml → ..data/kratos.yaml`, as Kubernetes mounts them). Notifications of the system are fast; polling
 * every second is for network and overlay file systems, which send none. A removed file changes nothing.
 */
export function watchConfig(options: WatchOptions): ConfigWatcher {
  const { files, onChange, onError, pollMs = 1000, settleMs = 100 } = options
  let current = options.initial
  // Files may have changed since the first configuration was read. What is no file, such as a pipe, can be read only once.
  let done = files.every(isFile) ? '' : signature(files)
  let seen = done
  let settling: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  let watchers: FSWatcher[] = []
  let closed = false

  const apply = async (state: string) => {
    if (closed || state === done) return
    done = state
    rewatch()
    if (state.includes(MISSING)) return
    try {
      const change = reloadConfig(current, options)
      if (!change) return
      await onChange(change)
      current = change.loaded
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)))
    }
  }
  const applyInOrder = (state: string) => {
    running = running.then(() => apply(state))
    return running
  }
  const look = () => {
    if (closed || settling) return
    const state = signature(files)
    if (state === done) return
    seen = state
    settling = setTimeout(settled, settleMs).unref()
  }
  const settled = () => {
    settling = undefined
    const state = signature(files)
    // An empty file is most likely being written: the next poll decides.
    if (state === seen && !(state.includes(EMPTY) && !emptyTwice(state))) void applyInOrder(state)
    else look()
  }
  let emptyBefore = ''
  const emptyTwice = (state: string) => {
    const twice = emptyBefore === state
    emptyBefore = state
    return twice
  }
  const rewatch = () => {
    for (const watcher of watchers) watcher.close()
    watchers = folders(files).flatMap((folder) => {
      try {
        return [watch(folder, { persistent: false }, look).on('error', () => undefined)]
      } catch {
        return [] // no more watches, or the folder is gone: polling goes on
      }
    })
  }
  rewatch()
  const poll = setInterval(look, pollMs).unref()

  return {
    current: () => current,
    check: () => applyInOrder(signature(files)),
    close: () => {
      closed = true
      clearInterval(poll)
      clearTimeout(settling)
      for (const watcher of watchers) watcher.close()
    },
  }
}

// A NUL cannot be part of a path.
const MISSING = '\0missing'
const EMPTY = '\0empty'

/** A text that changes whenever a file, its content or the file behind a link does. */
function signature(files: readonly string[]): string {
  return files
    .map((file) => {
      try {
        const { ino, size, mtimeNs } = statSync(file, { bigint: true })
        return `${realpathSync(file)} ${ino} ${mtimeNs} ${size === 0n ? EMPTY : size}`
      } catch {
        return MISSING
      }
    })
    .join('\n')
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

function folders(files: readonly string[]): string[] {
  const names = files.flatMap((file) => {
    try {
      return [dirname(file), dirname(realpathSync(file))]
    } catch {
      return [dirname(file)]
    }
  })
  return [...new Set(names)]
}
