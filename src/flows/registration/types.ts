import type { Flow } from '../types.ts'

export type RegistrationFlow = Flow
