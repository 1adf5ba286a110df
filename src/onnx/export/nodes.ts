// Nodes that several exporters write.
import { BOOL, type Wire } from './graph-builder.ts';
import type { Writer } from './writer.ts';

/** Whether the elements of a mask are not 0. */
export const isTrue = (writer: Writer, mask: Wire): Wire => writer.one('Cast', [mask], { to: BOOL });

/** All elements along an axis, from the last to the first. */
export const reversed = (writer: Writer, x: Wire, axis: number): Wire =>
  writer.one('Slice', [
    x,
    writer.graph.ints([-1]),
    writer.graph.ints([-(2 ** 31)]),
    writer.graph.ints([axis]),
    writer.graph.ints([-1]),
  ]);
