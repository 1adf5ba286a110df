// Types of the results of state-space models. `npm run typecheck` checks them.
import { type NdArray, ragged } from '../../src/index.ts';
import { type Decoded, type Forecast, gaussianHmm, localLevel } from '../../src/state-space.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

const [hmm, level] = [gaussianHmm({ states: 2 }), localLevel()];
const series = [1, 2, 3];

// One sequence, as a list of numbers or a typed array.
export const path: Int32Array = hmm.decode(series).states;
export const { means } = level.forecast(Float64Array.from(series), { steps: 2 });
export const states: NdArray = level.smooth([1, Number.NaN, 2]).means;
same<ReturnType<typeof hmm.posteriors<number[]>>, NdArray<Float64Array>>(true);

// Several.
const several = ragged([Float32Array.of(1, 2), Float32Array.of(3)]);
same<ReturnType<typeof hmm.decode<typeof several>>, Decoded[]>(true);

// Nested lists and arrays may be both.
const nested = [[1], [2]];
const found = level.forecast(nested, { steps: 1 });
same<typeof found, Forecast | Forecast[]>(true);
