/** Connections of a process that has the machine to itself: more than the database has processors make nothing faster. */
const connectionsOf = (processors: number) => Math.max(4, Math.ceil(2 * processors))

/**
 * Defaults for one of several processes, so that together they take about as much of the machine and of the database as a
 * single process would.
 */
export function shareOf(processors: number, workers: number): { hashes: number; connections: number } {
  const share = processors / workers
  return { hashes: Math.min(3, Math.max(1, Math.floor(share))), connections: connectionsOf(share) }
}
