import { apiDocument } from '../../src/api.ts'
import { LETHE_VERSION } from '../../src/kernel/base/version.ts'
import type { Generator } from './generator.ts'

/** The description of the API for readers and for makers of clients, as it is served at /openapi.json. */
export const openapi: Generator = {
  file: 'config/openapi.json',
  generate: () => `${JSON.stringify(apiDocument(LETHE_VERSION), null, 2)}\n`,
}
