// PyTorch's state dicts as JSON, as RTNeural's loaders for PyTorch read them. The names of the weights say the layers, in
// their order: recurrent layers of any number, then linear ones.
import { ArgumentError } from '../../checks/argument-error.ts';
import { clip, describe, expectList, type Parsed } from '../../io/parsed-json.ts';
import { type Converted, transposed, valuesOf } from '../json-file.ts';
import { Stack } from './stack.ts';

const weightName = /^(?:(.*)\.)?(weight|bias)(?:_(ih|hh)_l(\d+))?$/;

/** Whether a file is a state dict: its keys are names of weights. */
export const isStateDict = (file: Parsed): boolean =>
  file.layers === undefined && Object.keys(file).some((key) => weightName.test(key));

/** Converts a state dict. Throws `ArgumentError` for what it cannot. */
export function convertStateDict(file: Parsed): Converted {
  const modules = new Map<string, Parsed>();
  for (const [key, value] of Object.entries(file)) {
    const name = weightName.exec(key);
    if (!name) throw new ArgumentError(`'${clip(key)}' is not the name of a weight of a recurrent or a linear layer`);
    // One module for each layer of a stack: `lstm.0`, `lstm.1` …
    const [, prefix = '', kind, side, layer] = name;
    const module = side ? `${prefix}[${layer}]` : prefix;
    modules.set(module, { ...modules.get(module), [side ? `${kind}_${side}` : kind!]: value });
  }
  let stack: Stack | undefined;
  for (const [name, weights] of modules) {
    const isRecurrent = weights.weight_ih !== undefined;
    const first = expectList(name, isRecurrent ? weights.weight_ih : weights.weight);
    const inputs = expectList(`${name}: weight`, first[0]).length;
    stack ??= new Stack(inputs);
    if (inputs !== stack.width) {
      throw new ArgumentError(
        `${name}: weight expected ${stack.width} columns, as the layer before has, got ${inputs}`,
      );
    }
    if (isRecurrent) addRecurrent(stack, name, weights, first.length);
    else addLinear(stack, name, weights, first.length);
  }
  return { name: 'rtneural', layers: stack!.layers, weights: stack!.weights, extra: {} };
}

function addLinear(stack: Stack, name: string, { weight, bias }: Parsed, units: number): void {
  const kernel = transposed(valuesOf(`${name}.weight`, weight, [units, stack.width]), [units, stack.width]);
  const offset = bias === undefined ? new Float32Array(units) : valuesOf(`${name}.bias`, bias, [units]);
  stack.add('Dense', { units }, units, { kernel: [[stack.width, units], kernel], bias: [[units], offset] });
}

function addRecurrent(stack: Stack, name: string, weights: Parsed, rows: number): void {
  const units = expectList(`${name}: weight_hh`, expectList(name, weights.weight_hh)[0]).length;
  const gates = rows / units;
  if (gates !== 3 && gates !== 4) {
    throw new ArgumentError(`${name}: expected 4 gates of ${units} rows for an LSTM or 3 for a GRU, got ${rows} rows`);
  }
  /** Matrices `[gates·H, I]` as `[I, gates·H]`; the gates of a GRU are r z n there and z r h here. */
  const read = (key: string, width: number): Float32Array => {
    const given = weights[key] ?? (key.startsWith('bias') ? new Array(rows).fill(0) : undefined);
    if (given === undefined) throw new ArgumentError(`${name}: ${key} expected, got ${describe(given)}`);
    const isBias = key.startsWith('bias');
    const values = valuesOf(`${name}.${key}`, given, isBias ? [rows] : [rows, width]);
    const block = units * width;
    if (gates === 3) values.set([...values.subarray(block, 2 * block), ...values.subarray(0, block)]);
    return transposed(values, [rows, width]);
  };
  const [input, hidden] = [read('bias_ih', 1), read('bias_hh', 1)];
  const bias = gates === 4 ? input.map((value, i) => value + hidden[i]!) : Float32Array.of(...input, ...hidden);
  stack.add(
    gates === 4 ? 'LSTM' : 'GRU',
    { units, returnSequences: true, ...(gates === 3 && { resetAfter: true }) },
    units,
    {
      kernel: [[stack.width, rows], read('weight_ih', stack.width)],
      recurrentKernel: [[units, rows], read('weight_hh', units)],
      bias: [gates === 4 ? [rows] : [2, rows], bias],
    },
  );
}
