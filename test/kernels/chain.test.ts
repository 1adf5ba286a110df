// The kernels of linear chains against all paths of short chains, and against float64 in logarithms.
import { describe, expect, test } from 'vitest';
import { expectClose, expectSameBits } from './compare.ts';
import { type Chain, enumerated, forwardBackward, scoreOf, viterbi } from './reference/chain.ts';
import { numericGradient } from './reference/gradient.ts';
import { values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

const NONE = Number.NEGATIVE_INFINITY;

/** Chains that share scores: emissions [N, K] of each, and [K + 2, K] for transitions, start and end. */
interface Batch {
  tags: number;
  emissions: Float32Array[];
  scores: Float32Array;
}

const rowsOf = (flat: ArrayLike<number>, columns: number): number[][] =>
  Array.from({ length: flat.length / columns }, (_, i) =>
    Array.prototype.slice.call(flat, i * columns, (i + 1) * columns),
  );

function chainOf({ tags, emissions, scores }: Batch, at: number): Chain {
  const rows = rowsOf(scores, tags);
  return {
    emissions: rowsOf(emissions[at]!, tags),
    transitions: rows.slice(0, tags),
    start: rows[tags]!,
    end: rows[tags + 1]!,
  };
}

function batchOf(lengths: readonly number[], tags: number, scale = 2): Batch {
  return {
    tags,
    emissions: lengths.map((steps, i) => values(steps * tags, i + 1, scale)),
    scores: values((tags + 2) * tags, 99, scale),
  };
}

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);

  /** The three kernels on one batch; steps of the chains alternate in memory, with rows that no chain uses. */
  function run({ tags, emissions, scores }: Batch, weights = emissions.map(() => 1)) {
    sandbox.clear();
    const chains = emissions.length;
    const lengths = emissions.map((each) => each.length / tags);
    const longest = Math.max(...lengths, 1) + 1;
    const given = new Float32Array(chains * longest * tags).fill(Number.NaN);
    emissions.forEach((each, i) => {
      for (let t = 0; t < lengths[i]!; t++) {
        given.set(each.subarray(t * tags, (t + 1) * tags), (t * chains + i) * tags);
      }
    });
    const [size, width] = [Math.ceil(chains / 4) * 4, Math.ceil(tags / 6) * 6];
    const wide = new Float64Array(size);
    wide.set(weights);
    const at = {
      emissions: sandbox.f32(given),
      steps: sandbox.i32(
        Array.from({ length: chains * longest }, (_, i) => (i % longest) * chains + Math.floor(i / longest)),
      ),
      counts: sandbox.i32(lengths),
      scores: sandbox.f32(scores),
      alphas: sandbox.f32(2 * size * (2 + longest * width)),
      weights: sandbox.f32(new Float32Array(wide.buffer)),
      dEmissions: sandbox.f32(given.length),
      dScores: sandbox.f32(scores.length),
      paths: sandbox.i32(new Array(chains * longest).fill(-7)),
      best: sandbox.f32(chains),
    };
    const forward = sandbox.f32(2 * (width + 3) * width);
    const backward = sandbox.f32(2 * (2 * width + 7 + 4 * longest) * width);
    const decoding = sandbox.f32(2 * (width + 2 + 4 * longest) * width);
    const common = [chains, longest, tags, at.emissions, at.steps, at.counts, at.scores] as const;
    sandbox.extra.chain_forward(...common, forward, at.alphas);
    const logZ = Array.from(new Float64Array(sandbox.read(at.alphas, 2 * chains).buffer));
    const flags = Array.from(new Float64Array(sandbox.read(at.alphas + 8 * size, 2 * chains).buffer));
    sandbox.extra.chain_backward(...common, backward, at.alphas, at.weights, at.dEmissions, at.dScores);
    sandbox.extra.chain_best(...common, decoding, at.paths, at.best);
    sandbox.checkFences();
    const all = sandbox.read(at.dEmissions, given.length);
    const paths = sandbox.readI32(at.paths, chains * longest);
    const written = new Float32Array(given.length).fill(Number.NaN);
    const dEmissions = lengths.map((steps, i) => {
      const own = new Float32Array(steps * tags);
      for (let t = 0; t < steps; t++) {
        const from = (t * chains + i) * tags;
        own.set(all.subarray(from, from + tags), t * tags);
        written.set(all.subarray(from, from + tags), from);
      }
      return own;
    });
    expectSameBits(all, written, 'rows that no chain uses');
    return {
      logZ,
      flags,
      dEmissions,
      dScores: sandbox.read(at.dScores, scores.length),
      paths: lengths.map((steps, i) => Array.from(paths.subarray(i * longest, i * longest + steps))),
      best: sandbox.read(at.best, chains),
    };
  }

  function expectMatches(batch: Batch, weights = batch.emissions.map(() => 1), what = ''): ReturnType<typeof run> {
    const got = run(batch, weights);
    const dScores = new Float64Array(batch.scores.length);
    batch.emissions.forEach((_, i) => {
      const chain = chainOf(batch, i);
      const { logZ, gradients } = forwardBackward(chain);
      const name = `${what} chain ${i} of ${batch.emissions.length}, ${batch.tags} tags`;
      expectClose([got.logZ[i]!], [logZ], { relative: 1e-11, absolute: 1e-9 }, `${name}: log Z`);
      const weight = weights[i]!;
      const expected = gradients.emissions.flat().map((p) => p * weight);
      expectClose(got.dEmissions[i]!, expected, { relative: 1e-5, absolute: 1e-9 }, `${name}: d emissions`);
      [...gradients.transitions, gradients.start, gradients.end].flat().forEach((p, at) => {
        dScores[at]! += weight * p;
      });
      const { path, score } = viterbi(chain);
      expect(got.paths[i], name).toEqual(path);
      expectClose([got.best[i]!], [Math.fround(score)], { ulp: 1 }, `${name}: score`);
    });
    expectClose(got.dScores, dScores, { relative: 1e-5, absolute: 1e-8 }, `${what}: d scores`);
    return got;
  }

  test.each([1, 2, 3])('chains of 0 to 5 steps of %i tags match the sum over all paths', (tags) => {
    const batch = batchOf([5, 4, 3, 2, 1, 0], tags);
    const got = run(batch);
    batch.emissions.forEach((_, i) => {
      const chain = chainOf(batch, i);
      const { logZ, gradients, best } = enumerated(chain);
      expectClose([got.logZ[i]!], [logZ], { absolute: 1e-12, relative: 1e-12 }, `log Z of chain ${i}`);
      expectClose(got.dEmissions[i]!, gradients.emissions.flat(), { absolute: 1e-6 }, `gradient of chain ${i}`);
      expectClose([scoreOf(chain, got.paths[i]!)], [best], { absolute: 1e-12 }, `path of chain ${i}`);
    });
  });

  test.each([1, 2, 3, 4, 5, 7, 8, 9, 13, 32, 50])('%i tags match float64 for every tail of chains', (tags) => {
    for (const lengths of [
      [6],
      [1],
      [0],
      [9, 9],
      [3, 8, 1],
      [7, 6, 5, 4],
      [9, 8, 6, 6, 2, 0, 0],
      [1, 5, 2, 9, 3, 7, 4, 8],
    ]) {
      const got = expectMatches(batchOf(lengths, tags));
      expect(got.flags).toEqual(lengths.map(() => 0));
    }
  });

  test('weights scale the gradients of chains, and weight 0 hides NaN', () => {
    const batch = batchOf([6, 5, 4, 4, 3], 5);
    expectMatches(batch, [2, -0.5, 0, 1, 0]);
    const clean = run(batch, [2, -0.5, 0, 1, 0]);
    batch.emissions[2]!.fill(Number.NaN);
    const hidden = run(batch, [2, -0.5, 0, 1, 0]);
    expectSameBits(hidden.dScores, clean.dScores, 'd scores');
    hidden.dEmissions.forEach((each, i) => {
      expectSameBits(each, clean.dEmissions[i]!, `d emissions of chain ${i}`);
    });
    expect(hidden.logZ[2]).toBeNaN();
  });

  test('gradients match finite differences of float64', () => {
    const tags = 3;
    const batch = batchOf([4], tags);
    const { dScores, dEmissions } = run(batch);
    const logZOf = (emissions: Float64Array, scores: Float64Array): number =>
      forwardBackward(chainOf({ tags, emissions: [emissions as never], scores: scores as never }, 0)).logZ;
    const [emissions, scores] = [Float64Array.from(batch.emissions[0]!), Float64Array.from(batch.scores)];
    expectClose(
      dScores,
      numericGradient((at) => logZOf(emissions, Float64Array.from(at)), scores),
      { absolute: 1e-6 },
      'scores',
    );
    expectClose(
      dEmissions[0]!,
      numericGradient((at) => logZOf(Float64Array.from(at), scores), emissions),
      { absolute: 1e-6 },
      'emissions',
    );
  });

  test('scores of −∞ forbid tags and transitions', () => {
    const tags = 6;
    const batch = batchOf([12, 9, 7, 5, 2], tags);
    // Tags only go on to themselves and their neighbours, from the first to the last.
    for (let i = 0; i < tags; i++) {
      for (let j = 0; j < tags; j++) if (j < i || j > i + 1) batch.scores[i * tags + j] = NONE;
      if (i > 0) batch.scores[tags * tags + i] = NONE;
      if (i < 1) batch.scores[(tags + 1) * tags + i] = NONE;
    }
    batch.emissions[1]!.fill(NONE, 3 * tags, 3 * tags + 2);
    expectMatches(batch);
  });

  test('a chain without a path has log Z of −∞ and no gradient, and leaves the others', () => {
    const batch = batchOf([5, 4, 3], 4);
    batch.emissions[1]!.fill(NONE, 4, 8);
    const { logZ, dEmissions } = expectMatches(batch);
    expect(logZ[1]).toBe(NONE);
    expectSameBits(dEmissions[1]!, new Float32Array(16), 'd emissions');
    batch.scores.fill(NONE, 0, 16);
    expect(run(batch).logZ.slice(0, 3)).toEqual([NONE, NONE, NONE]);
  });

  test.each([30, 300, 1e4])('scores up to ±%d match float64', (scale) => {
    for (const tags of [2, 5, 8]) {
      const got = expectMatches(batchOf([20, 17, 12, 4, 1], tags, scale), undefined, `±${scale}`);
      if (scale === 1e4) expect(got.flags).toContain(1);
    }
  });

  test('paths whose prefix or suffix is far below others are not lost', () => {
    // Tag 1 is entered and left at −500; in between it gains 400 a step. All of it is beyond e^−230.
    const [tags, steps] = [3, 30];
    const scores = Float32Array.from([0, -500, -1, -500, -5, -600, -1, -600, 0, 0, -700, 0, 0, -700, 0]);
    const emissions = values(steps * tags, 4, 1);
    for (let t = 10; t < 14; t++) emissions[t * tags + 1]! += 400;
    const { paths } = expectMatches({ tags, scores, emissions: [emissions, values(20 * tags, 5)] });
    expect(paths[0]!.filter((tag) => tag === 1)).toHaveLength(4);
    // The same by a slow decay along a chain of tags, which no single step shows.
    const slow = batchOf([40, 40], 8, 0.1);
    for (let i = 0; i < 8; i++) {
      for (let j = 0; j < 8; j++) slow.scores[i * 8 + j] = j === i ? 0 : j === i + 1 ? -90 : NONE;
      if (i > 0) slow.scores[64 + i] = NONE;
    }
    for (let t = 20; t < 40; t++) slow.emissions[0]![t * 8 + 7] = 200;
    expect(expectMatches(slow).flags).toContain(1);
  });

  test('chains of 1000 steps match float64', () => {
    expectMatches(batchOf([1000, 900, 10], 9, 5));
    expectMatches(batchOf([1000], 4, 1e4));
  });

  test('100 tags match float64', () => {
    expectMatches(batchOf([20, 7], 100));
  });

  test('a chain has the same bits alone and in a batch', () => {
    const batch = batchOf([9, 8, 8, 6, 3, 2], 7);
    const whole = run(batch);
    batch.emissions.forEach((own, i) => {
      const alone = run({ ...batch, emissions: [own] });
      expect(alone.logZ[0]).toBe(whole.logZ[i]);
      expectSameBits(alone.dEmissions[0]!, whole.dEmissions[i]!, `chain ${i}`);
    });
  });

  test('NaN is kept', () => {
    const batch = batchOf([4, 3], 5);
    batch.emissions[0]![7] = Number.NaN;
    const { logZ } = run(batch);
    expect(logZ[0]).toBeNaN();
    expect(logZ[1]).toBeCloseTo(forwardBackward(chainOf(batch, 1)).logZ, 10);
  });

  test('no chains, no steps', () => {
    expect(run(batchOf([0, 0], 3)).logZ).toEqual([0, 0]);
    expectSameBits(run(batchOf([0, 0], 3)).dScores, new Float32Array(15), 'd scores');
  });
});
