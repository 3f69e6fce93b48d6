import { startDeadline } from '../../base/running-clock.ts'
import { StoreUnavailable } from '../client.ts'

export interface WriteShare {
  /** Takes a slot for a write, or waits for one. @returns releases it @throws StoreUnavailable */
  enter(): (() => void) | Promise<() => void>
  waiting(): number
}

/**
 * How many connections writes may hold. With synchronous replication a commit waits for a standby, for as long as that
 * takes; without a bound such commits hold every connection, and none is left for reads, which would not have to wait.
 */
export function shareOfWrites(connections: number): number {
  return Math.max(1, connections - Math.ceil(connections / 4))
}

/** @param timeoutMs a call that has waited longer is refused */
export function createWriteShare(size: number, timeoutMs: number): WriteShare {
  const queue: (() => void)[] = []
  let free = size

  function leave(): void {
    const next = queue.shift()
    if (next) next()
    else free += 1
  }

  /** Releases the slot once, however often it is called. */
  const place = () => {
    let mine = true
    return () => {
      if (mine) leave()
      mine = false
    }
  }

  return {
    waiting: () => queue.length,
    enter() {
      if (free > 0) {
        free -= 1
        return place()
      }
      return new Promise((resolve, reject) => {
        const enter = () => {
          stop()
          resolve(place())
        }
        queue.push(enter)
        const stop = startDeadline(timeoutMs, () => {
          queue.splice(queue.indexOf(enter), 1)
          reject(new StoreUnavailable(`every connection for writing was busy for ${timeoutMs} ms`))
        })
      })
    },
  }
}
