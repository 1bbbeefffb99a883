/** How much is tried, and what of it: `FUZZ_CASES`, `FUZZ_SEED`, `FUZZ_PATH`. */

export const numRuns = Number(process.env.FUZZ_CASES ?? 5000);

/** The same at each run of all tests; another one whenever more is asked for. */
export const seed = Number(
  process.env.FUZZ_SEED ?? (process.env.FUZZ_CASES ? Date.now() % 2 ** 31 : 20_261_123),
);

/** Of a failure, to repeat it. */
export const path = process.env.FUZZ_PATH;
