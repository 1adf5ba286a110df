// Operators that run subgraphs, and dropout.
import { ArgumentError } from '../../checks/argument-error.ts';
import * as ops from '../../ops/index.ts';
import { hostArray } from '../format/element-types.ts';
import type { Operator } from '../graph/node.ts';
import { sizeOf, spend } from '../graph/room.ts';
import { int64, Value } from '../graph/value.ts';
import { axisOf, rowMajor } from './broadcast.ts';
import { joinHost, pick, placesOf } from './shapes/places.ts';

/** Values of one shape, as parts of a new axis. */
function stack(values: readonly Value[], axis: number): Value {
  const [first] = values as [Value];
  const parts = values.map((value) => value.reshaped(value.shape.toSpliced(axis, 0, 1)));
  if (values.every(({ isHost }) => isHost)) return joinHost(parts, axis);
  return Value.ofTensor(
    ops.concatenate(
      parts.map(({ tensor }) => tensor),
      axis,
    ),
    first.type,
  );
}

/** Part `i` along an axis, without the axis. */
function part(x: Value, axis: number, i: number): Value {
  const shape = x.shape.toSpliced(axis, 1);
  if (!x.isHost) return Value.ofTensor(ops.reshape(ops.slice(x.tensor, { axis, from: i, to: i + 1 }), shape), x.type);
  const steps = rowMajor(x.shape);
  return pick(x, placesOf(shape, steps.toSpliced(axis, 1), i * steps[axis]!), shape);
}

const branch: Operator = {
  make:
    () =>
    ([condition], step) =>
      step.body(condition!.item ? 'then_branch' : 'else_branch')([]),
};

/** A loop of more steps has no end in sight. */
const MOST_TRIPS = 2 ** 22;

const loop: Operator = {
  make(node) {
    return ([trips, condition, ...carried], { body }) => {
      const run = body('body');
      const most = trips ? trips.item : Number.POSITIVE_INFINITY;
      let goesOn = condition ? condition.item !== 0 : true;
      let states = carried as Value[];
      const scans: Value[][] = [];
      for (let i = 0; i < most && goesOn; i++) {
        if (i > MOST_TRIPS) throw new ArgumentError(`the loop has made ${MOST_TRIPS} steps`);
        spend(1);
        const again = Value.ofHost('bool', [], Uint8Array.of(1));
        const [next, ...rest] = run([int64([i], []), again, ...states]);
        goesOn = next!.item !== 0;
        states = rest.slice(0, carried.length);
        rest.slice(carried.length).forEach((value, at) => {
          (scans[at] ??= []).push(value);
        });
      }
      const wanted = node.outputs.length - carried.length;
      const made = Array.from({ length: wanted }, (_, at) => {
        if (scans[at]) return stack(scans[at], 0);
        throw new ArgumentError('a loop without steps gives no scan outputs');
      });
      return [...states, ...made];
    };
  },
};

const scan: Operator = {
  make(node) {
    const count = node.int('num_scan_inputs', 1);
    if (!(count >= 1 && count <= node.inputs.length)) node.refuse(`num_scan_inputs=${count}`);
    const [inDirections, outDirections] = [node.ints('scan_input_directions'), node.ints('scan_output_directions')];
    const [inAxes, outAxes] = [node.ints('scan_input_axes'), node.ints('scan_output_axes')];
    const old = node.ints('directions');
    if (node.version < 9) node.refuse('operator set 8');
    return (inputs, { body }) => {
      const run = body('body');
      const given = inputs as Value[];
      const first = given.length - count;
      let states = given.slice(0, first);
      const sequences = given.slice(first);
      const axes = sequences.map((x, i) => axisOf(inAxes?.[i] ?? 0, x.shape.length));
      const length = sequences[0]!.shape[axes[0]!]!;
      const isBack = (list: number[] | undefined, i: number): boolean => ((list ?? old)?.[i] ?? 0) === 1;
      const made: Value[][] = [];
      for (let i = 0; i < length; i++) {
        const parts = sequences.map((x, j) => part(x, axes[j]!, isBack(inDirections, j) ? length - 1 - i : i));
        const all = run([...states, ...parts]);
        states = all.slice(0, first);
        all.slice(first).forEach((value, j) => {
          const list = (made[j] ??= []);
          if (isBack(outDirections, j)) list.unshift(value);
          else list.push(value);
        });
      }
      return [...states, ...made.map((list, j) => stack(list, axisOf(outAxes?.[j] ?? 0, list[0]!.shape.length + 1)))];
    };
  },
};

const dropout: Operator = {
  make(node) {
    const fixed = node.float('ratio', 0.5);
    node.int('seed', 0);
    node.int('is_test', 0);
    const wantsMask = (node.outputs[1] ?? '') !== '';
    return ([x, ratio, mode], { training, uniform }) => {
      const rate = ratio ? ratio.item : fixed;
      const ones = (): Value => {
        const data = hostArray(node.version < 10 ? x!.type : 'bool', x!.size);
        data.fill(1);
        return Value.ofHost(node.version < 10 ? x!.type : 'bool', x!.shape, data);
      };
      if (!(training || mode?.item) || rate === 0 || !x!.isFloat) return wantsMask ? [x!, ones()] : x!;
      const mask = hostArray('float32', sizeOf(x!.shape));
      for (let i = 0; i < mask.length; i++) mask[i] = uniform() >= rate ? 1 / (1 - rate) : 0;
      const noise = Value.ofHost('float32', x!.shape, mask);
      const y = Value.ofTensor(ops.mul(x!.tensor, noise.tensor), x!.type);
      return wantsMask
        ? [
            y,
            Value.ofHost(
              'bool',
              x!.shape,
              Uint8Array.from(mask, (each) => +(each !== 0)),
            ),
          ]
        : y;
    };
  },
};

export const control: Readonly<Record<string, Operator>> = {
  If: branch,
  Loop: loop,
  Scan: scan,
  Dropout: dropout,
};
