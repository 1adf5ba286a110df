// Damaged models of TF.js: JSON whose parts are hostile, and bytes that were changed or cut.
import type { RandomStream } from '../../src/index.ts';
import type { TfjsArtifacts } from '../../src/tfjs.ts';

type Node = Record<string, unknown> | unknown[];

const values: readonly unknown[] = [
  ...[0, -1, 1, 2, 7, 64, 1e6, 2 ** 24, 2 ** 31, 2 ** 53, 1e300, 0.5, Number.NaN],
  ...['', 'a', '__proto__', 'constructor', 'LSTM', 'Dense', 'Sequential', 'Functional', 'Lambda', 'InputLayer', 'relu'],
  ...[null, true, false, [], {}, [null], [[]], [1], [0, -1], [2 ** 30, 2 ** 30], [['a', 0, 0]]],
  { class_name: 'Dense', config: {} },
  { class_name: '__proto__', config: { l1: 1e38 } },
];
const keys = ['units', 'name', 'config', 'class_name', '__proto__', 'layers', 'shape', 'dtype', 'activation', 'x'];

/** Every object and list in a value, outermost first. */
function nodesOf(value: unknown): Node[] {
  const found: Node[] = [];
  for (let level: unknown[] = [value]; level.length > 0; ) {
    const nodes = level.filter(
      (each): each is Node => typeof each === 'object' && each !== null && !(each instanceof ArrayBuffer),
    );
    found.push(...nodes);
    level = nodes.flatMap((node) => Object.values(node));
  }
  return found;
}

/** A copy of a model in which one to four things are otherwise. */
export function damagedModel(original: TfjsArtifacts, random: RandomStream): unknown {
  const below = (n: number): number => random.nextUint32() % Math.max(n, 1);
  const of = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const value = (): unknown => structuredClone(of(values));
  const { weightData, ...json } = original as { weightData: ArrayBuffer };
  const copy = JSON.parse(JSON.stringify(json)) as Record<string, unknown>;
  let bytes = new Uint8Array(weightData.slice(0));
  for (let changes = 1 + below(4); changes > 0; changes--) {
    if (below(10) === 0) {
      if (below(3) === 0) bytes = bytes.slice(0, below(bytes.length));
      else bytes[below(bytes.length)] = below(256);
      continue;
    }
    const nodes = nodesOf(copy);
    const node = of(nodes);
    const own = Object.keys(node);
    const key = of(own);
    switch (below(7)) {
      case 0:
        if (Array.isArray(node)) node.splice(below(node.length), 1);
        else if (key !== undefined) delete node[key];
        break;
      case 1:
        if (Array.isArray(node)) node.push(node.length > 0 ? structuredClone(of(node)) : value());
        else
          Object.defineProperty(node, of(keys), {
            value: value(),
            enumerable: true,
            configurable: true,
            writable: true,
          });
        break;
      case 2:
        // A part of the model in the place of another.
        if (key !== undefined) (node as Record<string, unknown>)[key] = JSON.parse(JSON.stringify(of(nodes)));
        break;
      case 3: {
        const other = of(nodes);
        const from = of(Object.keys(other));
        if (key !== undefined && from !== undefined)
          (node as Record<string, unknown>)[key] = JSON.parse(
            JSON.stringify((other as Record<string, unknown>)[from] ?? null),
          );
        break;
      }
      default:
        if (key !== undefined) (node as Record<string, unknown>)[key] = value();
    }
    if (JSON.stringify(copy).length > 200_000) break;
  }
  return { ...copy, weightData: bytes.buffer };
}
