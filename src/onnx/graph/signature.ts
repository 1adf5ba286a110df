// What a graph takes and gives: names, element types and shapes.
import { ArgumentError } from '../../checks/argument-error.ts';
import { type ElementType, elementType } from '../format/element-types.ts';
import type { GraphProto, ValueInfoProto } from '../format/messages.ts';
import type { Value } from './value.ts';

/** An input or output of a graph. */
export interface OnnxValue {
  readonly name: string;
  readonly type: ElementType;
  /** Lengths of the axes; a name for one that varies; undefined if the file does not say. */
  readonly dims: readonly (number | string)[] | undefined;
}

/** The inputs and outputs of a graph, without the initializers that old files list among the inputs. */
export function signatureOf(graph: GraphProto): { inputs: OnnxValue[]; outputs: OnnxValue[] } {
  const held = new Set((graph.initializer ?? []).map(({ name = '' }) => name));
  return {
    inputs: (graph.input ?? []).filter(({ name = '' }) => !held.has(name)).map(described),
    outputs: (graph.output ?? []).map(described),
  };
}

function described({ name = '', type }: ValueInfoProto): OnnxValue {
  const kind = type && Object.keys(type).find((key) => key !== 'tensorType');
  if (kind && !type.tensorType) throw new Error(`'${name}' expected a tensor, got ${kind.replace('Type', '')}`);
  const dims = type?.tensorType?.shape?.dim?.map(({ dimValue, dimParam }, i) =>
    dimValue !== undefined && dimValue > 0 ? dimValue : dimParam || `${name}_${i}`,
  );
  const code = type?.tensorType?.elemType;
  const element = elementType(code ?? 1);
  if (!element) throw new Error(`'${name}' has element type ${code}, which is not supported`);
  return {
    name,
    type: element,
    dims: type?.tensorType ? (type.tensorType.shape ? (dims ?? []) : undefined) : undefined,
  };
}

/**
 * Pairs of an input and the output that is its next value: outputs whose element type and shape fit an input, and
 * whose name says so (`h` and `hn`, `state` and `stateN`, `recurrent_in` and `recurrent_out`, `x` and `x_out`).
 */
export function guessStates(inputs: readonly OnnxValue[], outputs: readonly OnnxValue[]): Record<string, string> {
  const stem = (name: string): string =>
    name
      .toLowerCase()
      .replace(/(^|[_.\-/])(in|out|input|output|new|next|prev|old|n|0|1)(?=$|[_.\-/])/g, '')
      .replace(/(in|out|_?n)$/, '')
      .replace(/^(initial|init|final|last|new|next|prev)_?/, '')
      .replace(/[^a-z0-9]/g, '');
  const byStem = new Map<string, OnnxValue[]>();
  for (const output of outputs) {
    const key = stem(output.name);
    if (!byStem.has(key)) byStem.set(key, []);
    byStem.get(key)!.push(output);
  }
  byStem.delete('');
  const pairs: Record<string, string> = {};
  for (const input of inputs) {
    const found = (byStem.get(stem(input.name)) ?? []).filter((output) => mayFollow(input, output));
    if (found.length === 1 && found[0]!.name !== input.name) pairs[input.name] = found[0]!.name;
  }
  // Two inputs cannot have one next value.
  const used = new Map<string, number>();
  for (const to of Object.values(pairs)) used.set(to, (used.get(to) ?? 0) + 1);
  return Object.fromEntries(Object.entries(pairs).filter(([, to]) => used.get(to) === 1));
}

/** Whether an output may be the next value of a state: its element type and what is known of its shape fit. */
export function mayFollow(a: OnnxValue, b: OnnxValue): boolean {
  if (a.type !== b.type) return false;
  if (!a.dims || !b.dims) return true;
  return (
    a.dims.length === b.dims.length &&
    a.dims.length > 0 &&
    a.dims.every((n, i) => typeof n === 'string' || typeof b.dims![i] === 'string' || n === b.dims![i])
  );
}

/**
 * The lengths that vary, by their names. The length of a batch may differ from what the file says, and a name may stand
 * for two lengths, but not in a state.
 *
 * @param what names the graph in errors.
 * @param inputs states behind the others.
 * @throws ArgumentError for an input that its declared shape does not fit.
 */
export function boundLengths(
  what: string,
  inputs: readonly OnnxValue[],
  feeds: ReadonlyMap<string, Value>,
  of: { batchAxisOf(name: string): number; isState(name: string): boolean },
): Map<string, number> {
  const lengths = new Map<string, number>();
  const boundBy = new Map<string, string>();
  for (const { name, dims } of inputs) {
    const shape = feeds.get(name)?.shape;
    if (!dims || !shape) continue;
    const [batch, isState] = [of.batchAxisOf(name), of.isState(name)];
    const input = `${what}: ${isState ? 'state' : 'input'} '${name}'`;
    const fits =
      dims.length === shape.length &&
      dims.every((n, axis) => typeof n === 'string' || n === shape[axis] || (axis === batch && !isState));
    if (!fits) throw new ArgumentError(`${input} expected [${dims.join(', ')}], got [${shape.join(', ')}]`);
    for (const [axis, n] of dims.entries()) {
      if (typeof n !== 'string') continue;
      const known = lengths.get(n);
      if (isState && known !== undefined && known !== shape[axis])
        throw new ArgumentError(
          `${input} expected ${n} = ${known}, as in '${boundBy.get(n)}', got ${shape[axis]}; reset() starts from zeros`,
        );
      lengths.set(n, shape[axis]!);
      boundBy.set(n, name);
    }
  }
  return lengths;
}
