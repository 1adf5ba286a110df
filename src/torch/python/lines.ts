// What the writers of layers share.

import type { AnyLayer } from '../../layers/base/layer.ts';
import { optionsOf } from '../modules.ts';
import { activationOf } from './activations.ts';
import type { PythonSource } from './source.ts';

/** Where a layer stands: its input `[B, …]`, null where a length varies. */
export type Shape = readonly (number | null)[] | undefined;

/** Writes a layer: its module, and the lines that run it on `x`. */
export type WriteLayer = (source: PythonSource, layer: AnyLayer, input: Shape) => void;

/** Writes `x = f(x)`. */
export function writeActivation(source: PythonSource, layer: AnyLayer): void {
  const { activation } = optionsOf(layer);
  const expression = activationOf(activation);
  if (expression === undefined) source.refuse(layer, 'an activation of its own');
  else if (expression !== 'x') source.line(`x = ${expression}`);
}

/** Writes `x = body(x)` for a body that wants the channels behind the batch. */
export function channelsFirst(source: PythonSource, rank: number, body: (x: string) => string): void {
  if (rank < 3) source.line(`x = ${body('x')}`);
  else if (rank === 3) source.line(`x = ${body('x.transpose(1, 2)')}.transpose(1, 2)`);
  else source.line(`x = ${body('x.permute(0, 3, 1, 2)')}.permute(0, 2, 3, 1)`);
}
