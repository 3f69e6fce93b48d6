/** The version of the contract, as clients ask for it. */
export const VERSION = 'v26.2.0'
