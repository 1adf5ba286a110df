import { hostHasRelaxedSimd, type NumericMode } from '../../src/engine/loading/load.ts';

/** The modes whose builds differ on this host: without relaxed SIMD (Node 20) `fast` is the plain build too. */
export const modes: NumericMode[] = hostHasRelaxedSimd() ? ['fast', 'reproducible'] : ['reproducible'];
