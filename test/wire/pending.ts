/** Recorded areas that the server does not serve yet; everything else is played. */
export const PENDING: readonly string[] = []

/** The same for scenarios of areas that are served but for these. */
export const PENDING_SCENARIOS: readonly string[] = []
