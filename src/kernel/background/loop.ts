/** Work beside the requests: started when the ports are open, stopped before the database closes. */
export interface BackgroundWork {
  start(): void
  /** Resolves when none of it is running. */
  stop(): Promise<void>
}

export interface Loop extends BackgroundWork {
  /** Runs at once, or once more after the present run. Does nothing before `start`. */
  wake(): void
}

export interface LoopOptions {
  /** for the log: `clean-up`, `delivery to webhooks` */
  name: string
  run(): Promise<unknown>
  /** from the end of one run to the next; undefined: until it is woken */
  pauseMs: number | (() => number | undefined)
  /** the same after a run that failed. Default: `pauseMs` */
  failedPauseMs?: number | undefined
  /** whether the first run comes before the first pause */
  atOnce?: boolean
  log: { warn(details: object, message: string): void }
}

/** As long as a timer may be, some 24 days: a longer one fires at once. */
const LONGEST_MS = 2 ** 31 - 1

/**
 * Runs a function again and again, one run at a time. A failed run is tried again, and logged once for an outage and not
 * with every try. Does not keep the process alive.
 */
export function createLoop({ name, run, pauseMs, failedPauseMs, atOnce = false, log }: LoopOptions): Loop {
  let started = false
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let again = false
  let failing = false

  const pause = () => (typeof pauseMs === 'function' ? pauseMs() : pauseMs)

  function plan(ms: number | undefined): void {
    clearTimeout(timer)
    if (started && ms !== undefined) timer = setTimeout(begin, Math.min(ms, LONGEST_MS)).unref()
  }

  function begin(): void {
    if (running) {
      again = true
      return
    }
    again = false
    running = once()
      .catch((err) => {
        if (!failing) log.warn({ err, task: name }, `${name} failed; it is tried until it works`)
        failing = true
        return failedPauseMs ?? pause()
      })
      .then((ms) => {
        running = undefined
        plan(ms)
      })
  }

  async function once(): Promise<number | undefined> {
    await run()
    failing = false
    return again ? 0 : pause()
  }

  return {
    start() {
      if (started) return
      started = true
      if (running) again = true
      else plan(atOnce ? 0 : pause())
    },
    wake() {
      if (started) begin()
    },
    async stop() {
      started = false
      clearTimeout(timer)
      await running
    },
  }
}
