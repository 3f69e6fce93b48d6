import type { Flow } from '../flows/types.ts'

export type RegistrationFlow = Flow
