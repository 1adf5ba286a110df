import { Binary } from '../../engine/abi.ts';
import type { FileLayer } from '../../streaming/layers.ts';
import type { StreamWeight } from '../../streaming/program.ts';
import type { BlockProgram, Value } from '../streams/block-program.ts';
import { checkWaveNet, runWaveNet, type WaveNetStructure, waveNetWeights } from './structure.ts';

/** Adds a WaveNet to a program, from its saved options. */
export function addWaveNet(program: BlockProgram, { config, path, weight }: FileLayer): void {
  const structure = config as WaveNetStructure;
  checkWaveNet(path, structure);
  const shapes = new Map(waveNetWeights(structure, program.width).map(({ name, shape }) => [name, shape]));
  const weightOf = (name: string): StreamWeight => weight(name, ...shapes.get(name)!);
  const of = (name: string, bias: string | undefined) => ({ kernel: weightOf(name), bias: bias && weightOf(bias) });
  /** Runs `body`, which adds a part that reads x. */
  const after = (x: Value, body: () => void): Value => {
    program.resume(x);
    body();
    return program.value;
  };
  program.resume(
    runWaveNet<Value>(
      structure,
      program.value,
      {
        product: (x, kernel, bias) => after(x, () => program.product(of(kernel, bias) as never)),
        convolution: (x, kernel, bias, dilation) =>
          after(x, () => program.convolution(of(kernel, bias) as never, { dilation, groups: 1 })),
        add: (a, b) => after(a, () => program.binary(Binary.Add, b)),
        subtract: (a, b) => after(a, () => program.binary(Binary.Sub, b)),
        maximum: (a, b) => after(a, () => program.binary(Binary.Max, b)),
        multiply: (a, b) => after(a, () => program.binary(Binary.Mul, b)),
        activation: (x, name) => after(x, () => program.activation(name, `${path}: `)),
        columns: (x, from, count) => after(x, () => program.columns(from, count)),
        scale: (x, alpha) => after(x, () => program.scale(alpha)),
      },
      program.width,
    ),
  );
}
