import type { DeferredRows } from '../../autograd/tape.ts';
import type { Ptr } from '../../engine/abi.ts';
import type { Part } from '../../engine/threads.ts';
import { chunkOf, grainOf, type HiddenGradients, LEAST_ROWS, lowOf, type Scan, timeOf } from './scan.ts';

/**
 * The gradient of the outputs itself, if there is one. Otherwise places in scratch: two that alternate, or one for each
 * step of a segment if the gradient of a block is a product over all of them.
 */
export function hiddenGradients(scan: Scan, length: number, dOutputs: Ptr): HiddenGradients {
  const { engine, sizes, reverse } = scan;
  const floats = sizes.batch * sizes.hidden;
  if (dOutputs) return { at: (t) => dOutputs + 4 * t * floats, enter() {}, begin() {} };
  const clear = (at: (t: number) => Ptr): HiddenGradients['begin'] => {
    return ({ kernels, from, to }, i) =>
      kernels.fill((to - from) * sizes.hidden, 0, at(timeOf(scan, i)) + 4 * from * sizes.hidden);
  };
  if (hasNoHiddenBlock(scan)) {
    const places = [engine.zeroedScratch(floats), engine.zeroedScratch(floats)];
    const at = (t: number): Ptr => places[t & 1]!;
    return { at, enter() {}, begin: clear(at) };
  }
  // One place more, for the step before the first of the segment.
  const places = engine.zeroedScratch((length + 1) * floats);
  let low = 0;
  const at = (t: number): Ptr => places + 4 * (t - low + (reverse ? 0 : 1)) * floats;
  return {
    at,
    enter(segment) {
      const last = timeOf(scan, segment.to - 1);
      const gathered = at(last);
      low = lowOf(scan, segment);
      if (segment.to < sizes.time) engine.kernels.copy_2d(1, floats, gathered, floats, at(last), floats);
    },
    begin: clear(at),
  };
}

/** Whether no block needs ∂L/∂h_t of many steps at once for its gradient. */
const hasNoHiddenBlock = ({ cell }: Scan): boolean => cell.blocks.every(({ gradient }) => gradient !== 'hidden');

/** The deferred gradient of the outputs, if a scan can compute it in chunks with less memory than as a whole. */
export function deferredByChunks(scan: Scan, deferred: DeferredRows | undefined): DeferredRows | undefined {
  const { sizes } = scan;
  if (!deferred || deferred.width !== sizes.hidden || !hasNoHiddenBlock(scan)) return undefined;
  const step = sizes.batch * sizes.hidden;
  return 2 * chunkOf(sizes) * step + deferred.scratchFloats < sizes.time * step ? deferred : undefined;
}

/**
 * Two chunks of steps in scratch that alternate. They are computed from the deferred gradient of the outputs: the last
 * chunk now, the others when backward reaches them.
 */
export function deferredHidden(scan: Scan, deferred: DeferredRows): HiddenGradients {
  const { engine, sizes, reverse } = scan;
  const { time, batch, hidden } = sizes;
  const chunk = chunkOf(sizes);
  const floats = batch * hidden;
  const places = engine.allocateScratch(2 * chunk * floats);
  const write = deferred.begin();
  // Chunks are numbered in the order of the scan. Within a chunk, steps are ordered by time.
  const at = (t: number): Ptr => {
    const i = timeOf(scan, t);
    const within = reverse ? chunk - 1 - (i % chunk) : i % chunk;
    return places + 4 * ((Math.floor(i / chunk) % 2) * chunk + within) * floats;
  };

  const first = Math.floor((time - 1) / chunk) * chunk;
  const low = lowOf(scan, { from: first, to: time });
  const writeRows = ({ kernels, gemmScratch, from, to }: Part): void =>
    write(kernels, gemmScratch, low * batch + from, to - from, at(low) + 4 * from * hidden);
  engine.parallel((time - first) * batch, grainOf(sizes, 1), writeRows, LEAST_ROWS);
  return {
    at,
    enter() {},
    begin({ kernels, gemmScratch, from, to }, i) {
      if ((i + 1) % chunk !== 0) return;
      const low = lowOf(scan, { from: i + 1 - chunk, to: i + 1 });
      const rows = to - from;
      if (rows === batch) write(kernels, gemmScratch, low * batch, chunk * batch, at(low));
      else {
        for (let t = low; t < low + chunk; t++) {
          write(kernels, gemmScratch, t * batch + from, rows, at(t) + 4 * from * hidden);
        }
      }
    },
  };
}
