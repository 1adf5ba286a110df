// Types of batches and of the results of `predict`. `npm run typecheck` checks them.
import { dense, type Model, model, type NdArray, type Tensor } from '../../src/index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};
declare const trained: Model;
declare const x: number[][][];
declare const y: number[][];

// Pairs of generators and of functions need no type of their own.
function* pairs() {
  yield [x, y];
}
async function* slowPairs() {
  yield [x, y];
}
void trained.fit(pairs);
void trained.fit(pairs());
void trained.fit(slowPairs, { epochs: 2 });
void trained.fit(slowPairs());
void trained.fit(() => [[x, y]]);
void trained.evaluate(pairs);
void trained.predict(slowPairs);
// @ts-expect-error samples without targets are no batches
void trained.fit(x);

// Several outputs are as many arrays.
type A = NdArray<Float32Array>;
const layers = { d: dense({ units: 1 }), e: dense({ units: 2 }) };
const listed = model({ layers }, (given: Tensor, { d, e }) => [d(given), e(given), d(given)]);
same<typeof listed, Model<[Tensor, Tensor, Tensor]>>(true);
const [, , third] = listed.predict(x);
same<typeof third, A>(true);
const named = model({ layers }, (given: Tensor, { d, e }) => ({ d: d(given), e: e(given) }));
const byName = named.predict(x);
same<typeof byName, { d: A; e: A }>(true);
const one = model({ layers }, (given: Tensor, { d }) => d(given));
same<typeof one, Model>(true);
const any = model({ layers }, (given: Tensor, { d }): Tensor[] => [d(given)]);
same<typeof any, Model<Tensor[]>>(true);
