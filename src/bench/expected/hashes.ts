// Written by `npm run bench:expected`; do not edit.

/** SHA-256 of what each workload computes in mode `reproducible`, which every host computes. */
export const hashes: Readonly<Record<string, string>> = {};
