import { withoutTrailingSlashes } from '../kernel/base/url.ts'
import { encodeQuery } from '../kernel/http/query.ts'

/** A URL below /self-service of the public address. */
export function selfServiceUrl(base: string, path: string, query: Record<string, string>): string {
  return `${withoutTrailingSlashes(base)}/self-service/${path}?${encodeQuery(query)}`
}
