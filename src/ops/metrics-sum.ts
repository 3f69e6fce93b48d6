import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue } from 'prom-client'

/** One metric with its values, as it goes from process to process. */
export type Series = Omit<MetricObjectWithValues<MetricValue<string>>, 'collect'>

/** What is not of one process, such as what is read from the database, is marked to be taken once. */
export const isOwn = (metric: { aggregator?: unknown }) => metric.aggregator !== 'first'

/** Text for a scraper, each metric put together as it says itself: most are summed, delays averaged. */
export function writeSum(parts: readonly Series[][]): Promise<string> {
  return AggregatorRegistry.aggregate([...parts]).metrics()
}

/** What only grows, of several processes: what must go on counting when one of them is gone. */
export function sumOfCounts(parts: readonly Series[][]): Series[] {
  const counts = parts.map((series) => series.filter(({ type }) => ONLY_GROWING.has(String(type))))
  const sum = AggregatorRegistry.aggregate(counts).getMetricsAsArray() as unknown as Series[]
  // Without the functions of the library, which cannot be sent.
  return sum.map(({ name, help, type, values, aggregator }) => ({ name, help, type, values, aggregator }))
}

const ONLY_GROWING = new Set(['counter', 'histogram'])
