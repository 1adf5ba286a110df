// The probe with kernels and a clock that the test controls.
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Kernels } from '../../src/engine/abi.ts';
import { TileProbe } from '../../src/engine/tile-probe.ts';

afterEach(() => vi.restoreAllMocks());

/** Kernels whose products take the given ms with the narrow and with the wide tile, by a clock of the given tick. */
function host(costs: [narrow: number, wide: number], tick = 1e-4) {
  let now = 1000;
  let wide = 0;
  let products = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 1e-4;
    return tick === 0 ? 1000 : Math.floor(now / tick) * tick;
  });
  const kernels = {
    gemm_packed_size: (k: number, n: number) => k * n,
    fill: () => {},
    set_wide: (on: number) => {
      wide = on;
    },
    gemm: () => {
      now += costs[wide as 0 | 1];
      products++;
    },
  } as unknown as Kernels;
  return {
    probe: new TileProbe(kernels, 1024),
    pass: (ms: number) => {
      now += ms;
    },
    setCosts: (narrow: number, wideCost: number) => {
      costs = [narrow, wideCost];
    },
    get wide() {
      return wide;
    },
    get products() {
      return products;
    },
  };
}

describe.each([
  ['a fine clock', 1e-4],
  ['a clock of 0.1 ms', 0.1],
])('with %s', (_, tick) => {
  test.each([
    ['wide tiles twice as fast', [0.0026, 0.0013], 1],
    ['wide tiles a fifth faster', [0.0026, 0.0021], 1],
    ['wide tiles slower', [0.0026, 0.0033], 0],
    ['both tiles equal', [0.0026, 0.0026], 0],
    ['narrow tiles that are not optimized', [0.01, 0.0026], 0],
  ] as const)('%s, the kernels end with the faster tile', (_, costs, expected) => {
    const h = host([...costs], tick);
    for (let step = 0; step < 200; step++) {
      h.probe.advance();
      h.pass(100);
    }
    expect(h.probe.isDone).toBe(true);
    expect(h.wide).toBe(expected);
    expect(h.probe.isWide).toBe(expected === 1);
  });

  test('a wide tile that is optimized after the first round, is used after the second step', () => {
    const h = host([0.0026, 0.011], tick);
    h.probe.advance();
    expect(h.wide).toBe(0);
    h.setCosts(0.0026, 0.0014);
    h.pass(1);
    h.probe.advance();
    expect(h.wide).toBe(1);
    expect(h.probe.isWide).toBe(true);
  });

  test('takes two rounds, and then two hundredths of the time', () => {
    const h = host([0.0026, 0.0013], tick);
    let all = 0;
    let longest = 0;
    for (let step = 0; step < 1000 && !h.probe.isDone; step++) {
      const before = h.products;
      h.probe.advance();
      const round = (h.products - before) * 0.002;
      longest = Math.max(longest, round);
      all += round;
      h.pass(1);
      // One round may go beyond the budget, because its time is known only afterwards.
      expect(all).toBeLessThan(0.02 * (step + 1 + all) + 3 * longest);
    }
    expect(longest).toBeLessThan(Math.max(0.5, 25 * tick));
  });

  test('unoptimized kernels do not make a round much longer', () => {
    const h = host([0.013, 0.011], tick);
    h.probe.advance();
    expect(h.products * 0.012).toBeLessThan(Math.max(2, 22 * tick));
  });
});

test('a clock that stops after the start, ends the round and chooses nothing', () => {
  const h = host([0.0026, 0.0013], 0.1);
  vi.spyOn(performance, 'now').mockImplementation(() => 2000);
  h.probe.advance();
  expect(h.products).toBeLessThan(1500);
  h.probe.advance();
  expect(h.probe.isWide).toBe(false);
});

test('kernels that get faster while they are timed, are judged by their best time', () => {
  const h = host([0.01, 0.012]);
  h.probe.advance();
  expect(h.wide).toBe(0);
  h.setCosts(0.0026, 0.012);
  h.pass(100);
  h.probe.advance();
  expect(h.wide).toBe(0);
  h.setCosts(0.0026, 0.0014);
  h.pass(100);
  h.probe.advance();
  expect(h.wide).toBe(1);
});

test.each([0, 1, 1000])(
  'a clock of %d ms, that is, which stands still or is coarse, keeps the narrow tile and times nothing',
  (tick) => {
    const h = host([0.0026, 0.0013], tick);
    h.probe.advance();
    expect(h.probe.isDone).toBe(true);
    expect(h.products).toBe(0);
    expect(h.wide).toBe(0);
  },
);

test('kernels without wide tiles, are never asked for them', () => {
  const kernels = { gemm_packed_size: () => 1, fill: () => {}, gemm: () => {} } as unknown as Kernels;
  const probe = new TileProbe(kernels, 1024);
  probe.advance();
  expect([probe.isDone, probe.isWide]).toEqual([true, false]);
});
