import {
  anything,
  type Description,
  json,
  list,
  map,
  OTHER_ERRORS,
  object,
  oneWord,
  plain,
  text,
} from '../kernel/http/openapi/openapi.ts'

const alive = json('It is.', object({ status: oneWord('ok') }))
const ready = json(
  'It is; `warnings`, on the admin port, are what an operator should see to.',
  object({ status: oneWord('ok') }, { warnings: list(text) }),
)

/** What operators and their tools ask of the process. */
export const opsDescription: Description = {
  tag: 'operations',
  operations: [
    {
      id: 'isAlive',
      method: 'get',
      path: '/health/alive',
      port: 'both',
      summary: 'Tells whether the process answers, whatever its database does.',
      answers: { 200: alive, ...OTHER_ERRORS },
    },
    {
      id: 'isReady',
      method: 'get',
      path: '/health/ready',
      port: 'both',
      summary: 'Tells whether the database answers and is migrated.',
      answers: { 200: ready, 503: json('Not now.', object({ error: map })), ...OTHER_ERRORS },
    },
    {
      id: 'getVersion',
      method: 'get',
      path: '/version',
      port: 'admin',
      summary: 'Names the version of the contract.',
      answers: { 200: json('The version.', object({ version: text })) },
    },
    {
      id: 'getConfigHash',
      method: 'get',
      path: '/health/config',
      port: 'admin',
      summary: 'Gives a hash that is the same on nodes with the same configuration.',
      answers: { 200: plain('64 hex digits.'), ...OTHER_ERRORS },
    },
    {
      id: 'getMetrics',
      method: 'get',
      path: '/metrics/prometheus',
      port: 'admin',
      summary: 'Gives what was counted, for Prometheus.',
      answers: { 200: plain('All series.'), ...OTHER_ERRORS },
    },
    {
      id: 'getOpenapi',
      method: 'get',
      path: '/openapi.json',
      port: 'both',
      summary: 'Gives this document.',
      answers: { 200: json('This document.', anything), 304: { description: 'Unchanged.' }, ...OTHER_ERRORS },
    },
  ],
  schemas: {},
}
