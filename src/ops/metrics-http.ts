import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** What is counted of a request. `endpoint` is a route, never a path: paths hold ids and there is no end of them. */
export interface CountedRequest {
  method: string
  status: number
  /** undefined for requests that no route takes */
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

/** Those of Kratos, so that dashboards keep their lines. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** Kratos counts bytes in buckets made for seconds, of which no dashboard can make anything. */
const BYTES = [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 5_242_880]

/** @see kratos/metrics-logs.md: names and labels are those of Kratos, `app` included */
export function createHttpMetrics(registry: Registry, version: string): HttpMetrics {
  const registers = [registry]
  const build = { app: 'kratos', buildTime: '', hash: '', version }
  const common = Object.keys(build)
  const detailed = [...common, 'code', 'endpoint', 'method']
  const histogram = (name: string, help: string, labelNames: string[], buckets: number[]) =>
    new Histogram({ name, help, labelNames, buckets, registers })
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers })

  const total = counter('http_requests_total', 'Requests, by route and status.', detailed)
  const durations = histogram('http_requests_duration_seconds', 'Time to answer a request.', detailed, SECONDS)
  const times = histogram('http_response_time_seconds', 'Time to answer, by route.', [...common, 'endpoint'], SECONDS)
  const statuses = counter('http_requests_statuses_total', 'Requests, by kind of status.', [
    ...common,
    'method',
    'status_bucket',
  ])
  const sized = [...common, 'code', 'method']
  const requestBytes = histogram('http_requests_size_bytes', 'Bytes of request bodies.', sized, BYTES)
  const responseBytes = histogram('http_response_size_bytes', 'Bytes of response bodies.', sized, BYTES)
  const scrapes = counter('promhttp_metric_handler_requests_total', 'Scrapes, by status.', ['code'])
  for (const code of ['200', '500', '503']) scrapes.inc({ code }, 0)
  const scraping = new Gauge({
    name: 'promhttp_metric_handler_requests_in_flight',
    help: 'Scrapes that are being answered.',
    registers,
  })

  return {
    request(counted) {
      const code = String(counted.status)
      const method = counted.method.toLowerCase()
      statuses.inc({ ...build, method: counted.method, status_bucket: `${code[0]}xx` })
      requestBytes.observe({ ...build, code, method }, counted.requestBytes)
      responseBytes.observe({ ...build, code, method }, counted.responseBytes)
      const { endpoint } = counted
      if (endpoint === undefined) return
      total.inc({ ...build, code, endpoint, method })
      durations.observe({ ...build, code, endpoint, method }, counted.seconds)
      times.observe({ ...build, endpoint }, counted.seconds)
    },
    async scrape(work) {
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
    },
  }
}

/**
 * Counts every request when its answer is sent.
 * @param prefix stands before each route, whatever the client sent: `/admin` on the admin port
 */
export function installMetrics(app: FastifyInstance, metrics: HttpMetrics, prefix: string): void {
  app.addHook('onResponse', async (req, reply) => {
    metrics.request({
      method: req.method,
      status: reply.statusCode,
      endpoint: endpointOf(req, prefix),
      seconds: reply.elapsedTime / 1000,
      requestBytes: bytes(req.headers['content-length']),
      responseBytes: bytes(reply.getHeader('content-length')),
    })
  })
}

function endpointOf(req: FastifyRequest, prefix: string): string | undefined {
  const route = req.routeOptions.url
  return route === undefined || req.is404 ? undefined : prefix + route.replace(/:[A-Za-z]+|\*/g, '{param}')
}

function bytes(length: unknown): number {
  const count = Number(length ?? 0)
  return Number.isSafeInteger(count) && count >= 0 ? count : 0
}

/** For the admin port alone: what is counted tells much about those who sign in. */
export function metricsRoutes(metrics: { http: HttpMetrics; text(): Promise<string> }): FastifyPluginAsync {
  return async (app) => {
    app.get('/metrics/prometheus', async (_req, reply: FastifyReply) => {
      const text = await metrics.http.scrape(metrics.text)
      return reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores').send(text)
    })
  }
}
