import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue } from 'prom-client'

/** One metric with its values, as it is sent between processes. */
export type Series = Omit<MetricObjectWithValues<MetricValue<string>>, 'collect'>

/** False for a metric that is the same in every process, such as one read from the database: it is taken once. */
export const isOwn = (metric: { aggregator?: unknown }) => metric.aggregator !== 'first'

/** Text for a scraper. Each metric is combined as its `aggregator` says: most are summed, delays averaged. */
export function writeSum(parts: readonly Series[][]): Promise<string> {
  return AggregatorRegistry.aggregate([...parts]).metrics()
}

/** The sum of what only grows: it must be kept when one of the processes ends. */
export function sumOfCounts(parts: readonly Series[][]): Series[] {
  const counts = parts.map((series) => series.filter(({ type }) => ONLY_GROWING.has(String(type))))
  const sum = AggregatorRegistry.aggregate(counts).getMetricsAsArray() as unknown as Series[]
  // Without the functions of the library, which cannot be sent to another process.
  return sum.map(({ name, help, type, values, aggregator }) => ({ name, help, type, values, aggregator }))
}

const ONLY_GROWING = new Set(['counter', 'histogram'])
