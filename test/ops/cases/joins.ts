import type { Shape } from '../../../src/checks/shape.ts';
import * as ops from '../../../src/ops/index.ts';
import { build, type GradientCase, pick } from './case.ts';

const LENGTHS = [2, 1, 4];

const concatenateCases = [[3, 2, 0], [3, 0], [0], [2, 3, 0, 2]].flatMap((rest) =>
  [...rest.keys()].map((axis): GradientCase => {
    // The axis that is joined takes the place of the one that is 0.
    const others = rest.filter((n) => n > 0);
    const shapes = LENGTHS.map((length) => others.toSpliced(axis, 0, length));
    const shape = others.toSpliced(axis, 0, 7);
    return {
      of: 'concatenate',
      variant: `[${shape}] along axis ${axis}`,
      arguments: shapes.map((part) => ({ shape: part })),
      run: (...inputs) => ops.concatenate(inputs, axis === others.length ? undefined : axis),
      shape,
      reference: (...inputs) =>
        build(shape, (index) => {
          let [part, place] = [0, index[axis]!];
          while (place >= LENGTHS[part]!) place -= LENGTHS[part++]!;
          return pick(inputs[part]!, shapes[part]!, index.with(axis, place));
        }),
    };
  }),
);

const stackCases = ([[3, 2] as const, [3, 2, 4] as const, [3] as const, [] as const] satisfies Shape[]).flatMap(
  (part) =>
    Array.from({ length: part.length + 1 }, (_, axis): GradientCase => {
      const shape = [...part].toSpliced(axis, 0, 2);
      return {
        of: 'stack',
        variant: `two of [${part}] along axis ${axis}`,
        arguments: [{ shape: part }, { shape: part }],
        run: (a, b) => ops.stack([a!, b!], axis),
        shape,
        reference: (...inputs) => build(shape, (index) => pick(inputs[index[axis]!]!, part, index.toSpliced(axis, 1))),
      };
    }),
);

export const joinCases = [
  ...concatenateCases,
  ...stackCases,
  {
    of: 'concatenate',
    variant: 'a tensor with itself',
    arguments: [{ shape: [4, 3] }],
    run: (x) => ops.concatenate([x!, x!]),
    shape: [4, 6],
    reference: (x) => build([4, 6], ([i, j]) => pick(x!, [4, 3], [i!, j! % 3])),
  } satisfies GradientCase,
].map((c): GradientCase => ({ ...c, moves: true }));
