import type { refusals } from './refusals.ts';

/**
 * Checks that a small app does without: undefined until something registers them. They are apart from
 * `optionalParts`, whose types know those who ask here.
 */
export const optionalRefusals: { refusals?: typeof refusals } = {};
