/**
 * The kinds of flows: all that differs between them and is no behaviour. The name of a kind is also its
 * part of paths (`/self-service/login`), its section of `selfservice.flows`, and the metric label of its statements.
 */
export const KINDS = {
  login: { table: 'selfservice_login_flows', expiredId: 4010001 },
  registration: { table: 'selfservice_registration_flows', expiredId: 4040001 },
  settings: { table: 'selfservice_settings_flows', expiredId: 4050001 },
  recovery: { table: 'selfservice_recovery_flows', expiredId: 4060005 },
  verification: { table: 'selfservice_verification_flows', expiredId: 4070005 },
} as const

export type FlowKind = keyof typeof KINDS
