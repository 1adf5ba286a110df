// Models that TF.js saved, with its numbers: test/golden/tfjs-models.json, made by acceptance/tfjs/golden.ts.
import { readFileSync } from 'node:fs';
import { NdArray } from '../../src/index.ts';
import type { TfjsArtifacts } from '../../src/tfjs.ts';

interface Values {
  shape: number[];
  data: number[];
}

export interface TfjsCase {
  x: Values[];
  outputs: Values[];
  artifacts: Record<string, unknown>;
  weights: string;
  /** Targets and losses of three more steps of training. */
  y?: Values;
  losses?: number[];
}

const file = JSON.parse(readFileSync(new URL('../golden/tfjs-models.json', import.meta.url), 'utf8'));
export const { quantized, ...models } = file as Record<string, TfjsCase> & {
  quantized: { specs: object[]; bytes: string; values: Record<string, number[]> };
};

export const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(base64, 'base64'));
export const artifactsOf = ({ artifacts, weights }: TfjsCase): TfjsArtifacts => ({
  ...artifacts,
  weightData: bytesOf(weights).buffer,
});
export const arrayOf = ({ shape, data }: Values, isIds = false): NdArray =>
  new NdArray((isIds ? Int32Array : Float32Array).from(data) as Float32Array, shape);

/** What a model gives for the inputs of a case, as a list. */
export function outputsOf(
  model: { predict(x: never): unknown; network: { inputs: unknown } },
  { x }: TfjsCase,
): NdArray[] {
  const isIds = (model.network.inputs as { dtype?: string }).dtype === 'i32';
  const given = x.map((each) => arrayOf(each, isIds));
  return [model.predict((given.length === 1 ? given[0] : given) as never)].flat() as NdArray[];
}
