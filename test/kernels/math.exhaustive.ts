// Every float32 through exp, log, sigmoid and tanh of both builds against float64: prints the greatest distance in
// float32 numbers and where it is. node --import tsx test/kernels/math.exhaustive.ts [function …] [from=0] [to=65536]:
// in blocks of 65,536 bit patterns; about two minutes a function.
import { readFileSync } from 'node:fs';
import { instantiateKernels } from '../../src/engine/loading/instantiate.ts';
import { hostHasRelaxedSimd } from '../../src/engine/loading/load.ts';
import { transcendental } from './reference/math.ts';

const BLOCK = 65536;
const memory = new WebAssembly.Memory({ initial: 16 });
const builds = hostHasRelaxedSimd() ? ['simd', 'relaxed'] : ['simd'];
const modules = builds.map((build) => {
  const bytes = readFileSync(new URL(`../../build/${build}.wasm`, import.meta.url));
  return instantiateKernels(new WebAssembly.Module(bytes), memory);
});
const at = (modules[0]!.heapBase() + 63) & ~63;
const x = new Float32Array(memory.buffer, at, BLOCK);
const xBits = new Int32Array(memory.buffer, at, BLOCK);
const y = new Float32Array(memory.buffer, at + 4 * BLOCK, BLOCK);
const yBits = new Int32Array(memory.buffer, at + 4 * BLOCK, BLOCK);
const expected = new Float32Array(BLOCK);
const expectedBits = new Int32Array(expected.buffer);

const args = process.argv.slice(2);
const option = (name: string, fallback: number) =>
  Number(args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1) ?? fallback);
const from = option('from', 0);
const to = option('to', 65536);
const wanted = args.filter((arg) => !arg.includes('='));

/** The greatest distance between y and expected in one block, and its index; ∞ where one of the two is NaN. */
function worst(): [distance: number, index: number] {
  let greatest = -1;
  let index = 0;
  for (let i = 0; i < BLOCK; i++) {
    const a = yBits[i]!;
    const b = expectedBits[i]!;
    if (a === b) continue;
    const gap = Math.abs((a < 0 ? -(a & 0x7fffffff) : a) - (b < 0 ? -(b & 0x7fffffff) : b));
    if (gap <= greatest) continue;
    const nans = Number(Number.isNaN(y[i])) + Number(Number.isNaN(expected[i]));
    if (nans === 2) continue;
    greatest = nans === 1 ? Infinity : gap;
    index = i;
  }
  return [greatest, index];
}

for (const [name, { code, reference }] of Object.entries(transcendental)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const records = builds.map(() => ({ distance: 0, x: 0, got: 0, expected: 0, least: Infinity, greatest: -Infinity }));
  for (let block = from; block < to; block++) {
    for (let i = 0; i < BLOCK; i++) xBits[i] = block * BLOCK + i;
    for (let i = 0; i < BLOCK; i++) expected[i] = reference(x[i]!);
    modules.forEach((kernels, build) => {
      kernels.unary(BLOCK, code, x.byteOffset, y.byteOffset);
      const record = records[build]!;
      for (let i = 0; i < BLOCK; i++) {
        if (y[i]! < record.least) record.least = y[i]!;
        if (y[i]! > record.greatest) record.greatest = y[i]!;
      }
      const [distance, i] = worst();
      if (distance > record.distance) Object.assign(record, { distance, x: x[i], got: y[i], expected: expected[i] });
    });
  }
  records.forEach((r, build) => {
    console.log(
      `${name} ${builds[build]}: at most ${r.distance} ulp, at x = ${r.x}: got ${r.got}, expected ${r.expected}; range [${r.least}, ${r.greatest}]`,
    );
  });
}
