import fc from 'fast-check'

/**
 * fast-check, telling the same stories on every run, so that the suite says of a change what it said of the commit before
 * it. New stories are looked for every night, and by hand: `PROPERTY_SEED=random`, or the seed of a failure.
 */
const { PROPERTY_SEED = '20', PROPERTY_RUNS = '1' } = process.env
if (PROPERTY_SEED !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(PROPERTY_SEED) })

/** How many times more stories than usual: `PROPERTY_RUNS=20`. */
export const MORE = Number(PROPERTY_RUNS)

export default fc
