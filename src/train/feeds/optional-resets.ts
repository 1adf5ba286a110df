import type { resets } from './resets.ts';

/** Reset masks, which a small app can do without; undefined until they are registered. */
export const optionalResets: { resets?: typeof resets } = {};
