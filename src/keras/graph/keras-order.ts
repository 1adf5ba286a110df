// The order in which Keras lists the layers of a functional model. Its files number layers of one class by it.
import { type Graph, readsOf } from './graph.ts';

/**
 * The layers of a graph as Keras orders them: the farther from the outputs the earlier, and at equal distance as a walk
 * back from the outputs meets them. Layers that no output needs come last.
 *
 * @returns indices of layers.
 * @see https://github.com/keras-team/keras/blob/master/keras/src/ops/function.py
 */
export function kerasOrder({ inputs, calls, outputs }: Graph, layerCount: number): number[] {
  const parents = calls.map((call) => readsOf(call).map(([source]) => source - inputs.length));
  const met: number[] = [];
  const finished: number[] = [];
  const isFinished = new Set<number>();
  // A walk without recursion: a call is finished when all that it reads is.
  for (const [output] of outputs) {
    const stack = [{ call: output - inputs.length, next: 0 }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      if (top.call < 0 || (top.next === 0 && isFinished.has(top.call))) {
        stack.pop();
        continue;
      }
      const { layer } = calls[top.call]!;
      if (top.next === 0 && !met.includes(layer)) met.push(layer);
      const parent = parents[top.call]![top.next++];
      if (parent !== undefined) stack.push({ call: parent, next: 0 });
      else {
        stack.pop();
        if (!isFinished.has(top.call)) finished.push(top.call);
        isFinished.add(top.call);
      }
    }
  }
  const callDepths = new Map<number, number>();
  const layerDepths = new Map<number, number>();
  for (const call of finished.reverse()) {
    const { layer } = calls[call]!;
    const depth = Math.max(callDepths.get(call) ?? 0, layerDepths.get(layer) ?? 0);
    layerDepths.set(layer, depth);
    for (const parent of parents[call]!) callDepths.set(parent, Math.max(depth + 1, callDepths.get(parent) ?? 0));
  }
  const others = Array.from({ length: layerCount }, (_, i) => i).filter((layer) => !met.includes(layer));
  return [...met.sort((a, b) => layerDepths.get(b)! - layerDepths.get(a)!), ...others];
}
