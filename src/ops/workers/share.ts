/** Connections of one process with the machine to itself: more than the processors of the database helps nobody. */
const connectionsOf = (processors: number) => Math.max(4, Math.ceil(2 * processors))

/**
 * What one of several processes takes for itself where the configuration does not say, so that together they take about
 * as much of the machine and of the database as one process would.
 */
export function shareOf(processors: number, workers: number): { hashes: number; connections: number } {
  const share = processors / workers
  return { hashes: Math.min(3, Math.max(1, Math.floor(share))), connections: connectionsOf(share) }
}
