import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Counter, Gauge, type Registry } from 'prom-client'
import { type CounterSeries, createCounter, createHistogram, type HistogramSeries } from './hot-series.ts'

/** What is counted of a request. `endpoint` is a route template, never a path: paths hold ids, so their number has no bound. */
export interface CountedRequest {
  method: string
  status: number
  /** undefined for requests that match no route */
  endpoint: string | undefined
  seconds: number
  requestBytes: number
  responseBytes: number
}

export interface HttpMetrics {
  request(counted: CountedRequest): void
  /** counts the scrape that `work` answers */
  scrape<T>(work: () => Promise<T>): Promise<T>
}

/** The buckets of Kratos, so that dashboards keep working. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** Kratos counts bytes in buckets made for seconds, which no dashboard can use. */
const BYTES = [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 5_242_880]

/** The series of requests of one method, status and route. */
interface RequestSeries {
  statuses: CounterSeries
  total: CounterSeries | undefined
  durations: HistogramSeries | undefined
  times: HistogramSeries | undefined
  requestBytes: HistogramSeries
  responseBytes: HistogramSeries
}

/** @see kratos/metrics-logs.md: names and labels are those of Kratos, `app` included */
export function createHttpMetrics(registry: Registry, version: string): HttpMetrics {
  const build = { app: 'kratos', buildTime: '', hash: '', version }
  const total = createCounter(registry, 'http_requests_total', 'Requests, by route and status.')
  const durations = createHistogram(registry, 'http_requests_duration_seconds', 'Time to answer a request.', SECONDS)
  const times = createHistogram(registry, 'http_response_time_seconds', 'Time to answer, by route.', SECONDS)
  const statuses = createCounter(registry, 'http_requests_statuses_total', 'Requests, by kind of status.')
  const requestBytes = createHistogram(registry, 'http_requests_size_bytes', 'Bytes of request bodies.', BYTES)
  const responseBytes = createHistogram(registry, 'http_response_size_bytes', 'Bytes of response bodies.', BYTES)

  const shared = new Map<string, CounterSeries | HistogramSeries>()
  /** Requests that have the same labels share one series. */
  function once<S extends CounterSeries | HistogramSeries>(
    kind: string,
    labels: Record<string, string>,
    make: (labels: Record<string, string>) => S,
  ): S {
    const key = `${kind} ${Object.values(labels).join(' ')}`
    const known = shared.get(key) ?? make({ ...build, ...labels })
    shared.set(key, known)
    return known as S
  }

  function seriesOf({ status, method: word, endpoint }: CountedRequest): RequestSeries {
    const [code, method] = [String(status), word.toLowerCase()]
    const routed = endpoint === undefined ? undefined : { code, endpoint, method }
    return {
      statuses: once('statuses', { method: word, status_bucket: `${code[0]}xx` }, statuses),
      requestBytes: once('request', { code, method }, requestBytes),
      responseBytes: once('response', { code, method }, responseBytes),
      total: routed && once('total', routed, total),
      durations: routed && once('durations', routed, durations),
      times: routed && once('times', { endpoint: routed.endpoint }, times),
    }
  }

  const known = new Map<string, RequestSeries>()
  return {
    request(counted) {
      const key = `${counted.method} ${counted.status} ${counted.endpoint}`
      let series = known.get(key)
      if (series === undefined) {
        series = seriesOf(counted)
        known.set(key, series)
      }
      series.statuses.count += 1
      series.requestBytes.observe(counted.requestBytes)
      series.responseBytes.observe(counted.responseBytes)
      if (series.total) series.total.count += 1
      series.durations?.observe(counted.seconds)
      series.times?.observe(counted.seconds)
    },
    scrape: createScrapeCount(registry),
  }
}

function createScrapeCount(registry: Registry): HttpMetrics['scrape'] {
  const registers = [registry]
  const scrapes = new Counter({
    name: 'promhttp_metric_handler_requests_total',
    help: 'Scrapes, by status.',
    labelNames: ['code'],
    registers,
  })
  for (const code of ['200', '500', '503']) scrapes.inc({ code }, 0)
  const scraping = new Gauge({
    name: 'promhttp_metric_handler_requests_in_flight',
    help: 'Scrapes that are being answered.',
    registers,
  })
  return async (work) => {
    scraping.inc()
    let code = '500'
    try {
      const answer = await work()
      code = '200'
      return answer
    } finally {
      scraping.dec()
      scrapes.inc({ code })
    }
  }
}

/**
 * Counts every request when it has ended.
 * @param prefix of each route in the labels, whatever the client sent: `/admin` on the admin port
 */
export function installMetrics(app: FastifyInstance, metrics: HttpMetrics, prefix: string): void {
  const endpoints = new Map<string, string>()
  app.whenDone((req, reply, { status, complete }) => {
    metrics.request({
      method: req.method,
      status,
      endpoint: endpointOf(req, prefix, endpoints),
      seconds: reply.elapsedTime / 1000,
      requestBytes: bytes(req.headers['content-length']),
      responseBytes: complete ? bytes(reply.getHeader('content-length')) : 0,
    })
  })
}

function endpointOf(req: FastifyRequest, prefix: string, known: Map<string, string>): string | undefined {
  const route = req.routeOptions.url
  if (route === undefined || req.is404) return undefined
  let endpoint = known.get(route)
  if (endpoint === undefined) {
    endpoint = prefix + route.replace(/:[A-Za-z]+|\*/g, '{param}')
    known.set(route, endpoint)
  }
  return endpoint
}

function bytes(length: unknown): number {
  const count = Number(length ?? 0)
  return Number.isSafeInteger(count) && count >= 0 ? count : 0
}

/** For the admin port alone: the figures reveal much about the users. */
export function metricsRoutes(metrics: { http: HttpMetrics; text(): Promise<string> }): FastifyPluginAsync {
  return async (app) => {
    app.get('/metrics/prometheus', async (_req, reply: FastifyReply) => {
      const text = await metrics.http.scrape(metrics.text)
      return reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores').send(text)
    })
  }
}
