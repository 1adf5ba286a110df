// Damaged ONNX files: as bytes, and as messages whose parts are hostile.
import type { RandomStream } from '../../src/index.ts';
import { type GraphProto, type ModelProto, readModelProto, writeModelProto } from '../../src/onnx/format/messages.ts';

const sizes = [
  0,
  -1,
  1,
  2,
  7,
  64,
  1000,
  65_536,
  1e6,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 40,
  2 ** 53,
  2 ** 62,
  -(2 ** 62),
];

class Damage {
  readonly #random: RandomStream;

  constructor(random: RandomStream) {
    this.#random = random;
  }

  below(n: number): number {
    return this.#random.nextUint32() % Math.max(n, 1);
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  size(): number {
    return this.of(sizes);
  }

  /** Changes bytes: bits, runs, cut ends, parts that come twice. */
  bytes(original: Uint8Array): Uint8Array {
    const cut = this.below(5) === 0 ? this.below(original.length) : original.length;
    let bytes = original.slice(0, cut);
    for (let n = 1 + this.below(4); n > 0 && bytes.length > 0; n--) {
      const at = this.below(bytes.length);
      const kind = this.below(5);
      if (kind === 0) bytes[at]! ^= 1 << this.below(8);
      else if (kind === 1) bytes[at] = this.of([0, 1, 0x7f, 0x80, 0xff, this.below(256)]);
      else if (kind === 2) bytes.fill(0xff, at, at + 1 + this.below(9));
      else if (kind === 3) bytes = Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + 1 + this.below(8)));
      else bytes = Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(this.below(bytes.length)));
    }
    return bytes;
  }

  /** Changes parts of the message. */
  message(bytes: Uint8Array): Uint8Array {
    const model = readModelProto(bytes.slice());
    for (let n = 1 + this.below(3); n > 0; n--) this.#graph(model, model.graph!);
    return writeModelProto(model);
  }

  #graph(model: ModelProto, graph: GraphProto): void {
    const nodes = graph.node ?? [];
    const tensors = [
      ...(graph.initializer ?? []),
      ...nodes.flatMap(({ attribute = [] }) => attribute.flatMap(({ t }) => (t ? [t] : []))),
    ];
    const attributes = nodes.flatMap(({ attribute = [] }) => attribute);
    const values = [...(graph.input ?? []), ...(graph.output ?? [])];
    const names = [...values, ...tensors].map(({ name }) => name!).concat(nodes.flatMap(({ output }) => output ?? []));
    const inner = attributes.flatMap(({ g }) => (g ? [g] : []));
    if (inner.length > 0 && this.below(3) === 0) {
      this.#graph(model, this.of(inner));
      return;
    }
    const [node, tensor, attribute, value] = [this.of(nodes), this.of(tensors), this.of(attributes), this.of(values)];
    const kinds: (() => void)[] = [
      () => {
        if (tensor?.dims?.length) tensor.dims[this.below(tensor.dims.length)] = this.size();
      },
      () => {
        // The elements of a tensor of integers: sizes, repeats, axes, trip counts.
        const raw = tensors.filter(({ dataType, rawData }) => dataType === 7 && (rawData?.length ?? 0) >= 8);
        const chosen = this.of(raw);
        if (!chosen) return;
        const copy = chosen.rawData!.slice();
        const view = new DataView(copy.buffer);
        view.setBigInt64(8 * this.below(Math.floor(copy.length / 8)), BigInt(this.size()), true);
        chosen.rawData = copy;
      },
      () => {
        if (tensor) tensor.dataType = this.below(24);
      },
      () => {
        if (tensor?.rawData) tensor.rawData = tensor.rawData.slice(0, this.below(tensor.rawData.length));
      },
      () => {
        if (attribute?.ints?.length) attribute.ints[this.below(attribute.ints.length)] = this.size();
        else if (attribute?.i !== undefined) attribute.i = this.size();
        else if (attribute?.f !== undefined) attribute.f = this.of([0, -1, 1e30, Number.NaN, Number.POSITIVE_INFINITY]);
        else if (attribute) attribute.s = Uint8Array.of(65 + this.below(26));
      },
      () => {
        if (attribute) attribute.name = this.of(attributes).name!;
      },
      () => {
        if (node?.input?.length) node.input[this.below(node.input.length)] = this.of([...names, '', 'missing']);
      },
      () => {
        if (node?.output?.length) node.output[this.below(node.output.length)] = this.of([...names, '']);
      },
      () => {
        if (node) node.opType = this.of([...nodes.map(({ opType }) => opType!), ...hungry]);
      },
      () => {
        const dims = value?.type?.tensorType?.shape?.dim;
        if (dims?.length) dims[this.below(dims.length)] = this.of([{ dimValue: this.size() }, { dimParam: 'n' }, {}]);
      },
      () => {
        if (value?.type?.tensorType) value.type.tensorType.elemType = this.below(24);
      },
      () => {
        if (value) value.name = this.of([...names, '']);
      },
      () => {
        graph.node = nodes.toReversed();
      },
      () => {
        model.opsetImport = [{ domain: '', version: this.of([0, 1, 5, 6, 7, 9, 11, 13, 18, 21, 25, this.size()]) }];
      },
      () => {
        // A node that makes something large of a small number, in front of all others.
        const data = Array.from({ length: 1 + this.below(3) }, () => this.size());
        graph.initializer = [
          ...(graph.initializer ?? []),
          { name: 'hungry', dims: this.of([[data.length], []]), dataType: 7, int64Data: data },
        ];
        const op = this.of(hungry);
        const first = graph.input?.[0]?.name ?? 'hungry';
        const input = { ConstantOfShape: ['hungry'], Range: ['hungry', 'hungry', 'hungry'] }[op] ?? [first, 'hungry'];
        graph.node = [{ opType: op, input, output: ['huge'] }, ...nodes];
        const reader = this.of(nodes);
        if (reader?.input?.length) reader.input[0] = 'huge';
      },
      () => {
        // Graphs within graphs.
        let body: GraphProto = { name: 'deep', node: [], output: [] };
        for (let depth = this.of([1, 30, 40, 200]); depth > 0; depth--)
          body = {
            name: 'deep',
            node: [{ opType: 'If', input: ['c'], attribute: [{ name: 'then_branch', type: 5, g: body }] }],
          };
        graph.node = [...nodes, ...body.node!];
      },
      () => {
        // A loop of many steps, or of steps that double.
        const trips = { name: 'trips', dims: [], dataType: 7, int64Data: [this.size()] };
        const first = graph.input?.[0]?.name ?? '';
        const step = this.of([
          { opType: 'Identity', input: ['s'], output: ['next'] },
          { opType: 'Concat', input: ['s', 's'], output: ['next'], attribute: [{ name: 'axis', i: 0, type: 2 }] },
        ]);
        const body: GraphProto = {
          name: 'body',
          node: [step, { opType: 'Identity', input: ['go'], output: ['on'] }],
          input: [{ name: 'i' }, { name: 'go' }, { name: 's' }],
          output: [{ name: 'on' }, { name: 'next' }, ...this.of([[], [{ name: 'next' }]])],
        };
        graph.initializer = [...(graph.initializer ?? []), trips];
        graph.node = [
          {
            opType: 'Loop',
            input: ['trips', '', first],
            output: ['last', 'all'].slice(0, body.output!.length - 1),
            attribute: [{ name: 'body', type: 5, g: body }],
          },
          ...nodes,
        ];
        const reader = this.of(nodes);
        if (reader?.input?.length) reader.input[0] = this.of(['last', 'all']);
      },
    ];
    this.of(kinds)();
  }
}

/** Operators whose result may be much larger than what they read. */
const hungry = [
  'ConstantOfShape',
  'Expand',
  'Tile',
  'Range',
  'OneHot',
  'Pad',
  'Reshape',
  'Resize',
  'Gather',
  'TopK',
  'Unsqueeze',
];

/** One damaged copy of one of several files. */
export function damaged(random: RandomStream, originals: readonly Uint8Array[]): Uint8Array {
  const damage = new Damage(random);
  const original = damage.of(originals);
  if (damage.below(3) === 0) return damage.bytes(original);
  const changed = damage.message(original);
  return damage.below(8) === 0 ? damage.bytes(changed) : changed;
}
