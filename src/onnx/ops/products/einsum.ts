import type { Tensor } from '../../../autograd/tensor.ts';
import { ArgumentError } from '../../../checks/argument-error.ts';
import * as ops from '../../../ops/index.ts';
import type { Operator } from '../../graph/node.ts';
import { sizeOf, spend } from '../../graph/room.ts';
import { Value } from '../../graph/value.ts';

/** A tensor with a letter for each axis. */
interface Named {
  readonly x: Tensor;
  readonly axes: readonly string[];
}

/** Keeps the elements whose indices of equal letters are equal. */
function diagonal({ x, axes }: Named): Named {
  const again = axes.findIndex((letter, i) => axes.indexOf(letter) < i);
  if (again < 0) return { x, axes };
  const first = axes.indexOf(axes[again]!);
  const rest = axes.filter((_, i) => i !== first && i !== again);
  const n = x.shape[first]!;
  spend(64 * n);
  const order = [...axes.keys()].filter((i) => i !== first && i !== again);
  const rows = ops.reshape(ops.transpose(x, [first, again, ...order]), [n * n, x.size / (n * n)]);
  const kept = ops.concatenate(
    Array.from({ length: n }, (_, i) => ops.slice(rows, { axis: 0, from: i * (n + 1), to: i * (n + 1) + 1 })),
    0,
  );
  return diagonal({ x: ops.reshape(kept, [n, ...order.map((i) => x.shape[i]!)]), axes: [axes[again]!, ...rest] });
}

/** Sums over the axes that nothing else reads. */
function summed({ x, axes }: Named, isKept: (letter: string) => boolean): Named {
  const kept = axes.filter(isKept);
  if (kept.length === axes.length) return { x, axes };
  const gone = axes.filter((letter) => !isKept(letter));
  const turned = arranged({ x, axes }, [...kept, ...gone]);
  const shape = turned.shape.slice(0, kept.length);
  const rows = ops.reshape(turned, [sizeOf(shape), turned.size / Math.max(sizeOf(shape), 1)]);
  return { x: ops.reshape(ops.sum(rows, { axis: 1 }), shape), axes: kept };
}

const arranged = ({ x, axes }: Named, order: readonly string[]): Tensor =>
  order.every((letter, i) => letter === axes[i])
    ? x
    : ops.transpose(
        x,
        order.map((letter) => axes.indexOf(letter)),
      );

/** One product: shared letters that the result keeps are batches, other shared ones are summed over. */
function contracted(a: Named, b: Named, isKept: (letter: string) => boolean): Named {
  const shared = a.axes.filter((letter) => b.axes.includes(letter));
  const batch = shared.filter(isKept);
  const inner = shared.filter((letter) => !isKept(letter));
  const [left, right] = [a, b].map(({ axes }) => axes.filter((letter) => !shared.includes(letter))) as [
    string[],
    string[],
  ];
  const lengthOf = (letters: readonly string[], { x, axes }: Named): number[] =>
    letters.map((letter) => x.shape[axes.indexOf(letter)]!);
  const [count, m, k, n] = [lengthOf(batch, a), lengthOf(left, a), lengthOf(inner, a), lengthOf(right, b)];
  sizeOf([sizeOf(count), sizeOf(m), sizeOf(n)]);
  spend((sizeOf(count) * sizeOf(m) * sizeOf(k) * sizeOf(n)) / 32);
  const product = ops.batchMatmul(
    ops.reshape(arranged(a, [...batch, ...left, ...inner]), [sizeOf(count), sizeOf(m), sizeOf(k)]),
    ops.reshape(arranged(b, [...batch, ...inner, ...right]), [sizeOf(count), sizeOf(k), sizeOf(n)]),
  );
  return { x: ops.reshape(product, [...count, ...m, ...n]), axes: [...batch, ...left, ...right] };
}

export const einsum: Operator = {
  make(node) {
    const equation = node.string('equation', '').replaceAll(' ', '');
    const [from = '', to] = equation.split('->') as [string, string?];
    if (!/^[A-Za-z.,]*$/.test(from)) node.refuse(`equation '${equation}'`);
    return (inputs) => {
      const terms = from.split(',');
      if (terms.length !== inputs.length)
        throw new ArgumentError(`'${equation}' expected ${terms.length} operands, got ${inputs.length}`);
      const lettersOf = (term: string): string[] =>
        term
          .replace('...', '')
          .split('')
          .filter((letter) => letter !== '.');
      // Letters for the axes of an ellipsis, which are counted from the last.
      const hidden = Math.max(
        ...terms.map((term, i) => (term.includes('...') ? inputs[i]!.shape.length - lettersOf(term).length : 0)),
      );
      const ellipsis = (count: number): string[] => Array.from({ length: count }, (_, i) => `…${hidden - count + i}`);
      const named = terms.map((term, i): Named => {
        const [before, after] = term.split('...') as [string, string?];
        const count = inputs[i]!.shape.length - lettersOf(term).length;
        const axes = after === undefined ? [...before] : [...before, ...ellipsis(count), ...after];
        return { x: inputs[i]!.tensor, axes };
      });
      const letters = named.flatMap(({ axes }) => axes);
      const once = [...new Set(letters)].filter(
        (letter) => letters.indexOf(letter) === letters.lastIndexOf(letter) && !letter.startsWith('…'),
      );
      const [first = '', second] = (to ?? '').split('...') as [string, string?];
      const output =
        to === undefined
          ? [...ellipsis(hidden), ...once.sort()]
          : second === undefined
            ? [...first]
            : [...first, ...ellipsis(hidden), ...second];
      let whole = diagonal(named[0]!);
      for (let i = 1; i < named.length; i++) {
        const later = new Set([...output, ...named.slice(i + 1).flatMap(({ axes }) => axes)]);
        const next = diagonal(named[i]!);
        const isKept = (letter: string): boolean => later.has(letter);
        const [a, b] = [
          summed(whole, (letter) => isKept(letter) || next.axes.includes(letter)),
          summed(next, (letter) => isKept(letter) || whole.axes.includes(letter)),
        ];
        whole = contracted(a, b, isKept);
      }
      whole = summed(whole, (letter) => output.includes(letter));
      return Value.ofTensor(arranged(whole, output), inputs[0]!.type);
    };
  },
};
