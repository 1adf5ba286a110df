import type { refusals } from './refusals.ts';

/**
 * Checks that a small app can do without; undefined until they are registered. They are not in `optionalParts`, to
 * avoid a cycle: its types come from modules that import the users of these checks.
 */
export const optionalRefusals: { refusals?: typeof refusals } = {};
