// What is in a model file, as text.
import { leavesOf } from '../data/nested.ts';
import { type InputSpec, isInputSpec } from '../layers/base/input-spec.ts';
import type { AnyModel } from '../models/model.ts';
import type { GraphProto } from '../onnx/format/messages.ts';
import { OnnxGraph } from '../onnx/onnx-graph.ts';
import { type OnnxSession, onnxSession } from '../onnx.ts';
import type { ReadModel } from './model-file.ts';

export const grouped = (count: number): string => count.toLocaleString('en-US');

/** The session of an imported graph; undefined for a model of layers. */
export const sessionOf = (model: AnyModel): OnnxSession | undefined =>
  graphOf(model) ? onnxSession(model) : undefined;

const graphOf = (model: AnyModel): OnnxGraph | undefined => model.layers.find((layer) => layer instanceof OnnxGraph);

/** Format, summary, inputs, outputs and states. */
export function described({ path, bytes, format, model }: ReadModel): string[] {
  const session = sessionOf(model);
  const lines = [model.summary(), ` File: ${path}, ${grouped(bytes.length)} bytes, ${format}`];
  const proto = format === 'ONNX' ? graphOf(model)?.proto : undefined;
  if (proto) {
    const sets = (proto.opsetImport ?? []).map(({ domain, version }) => `${domain || 'ai.onnx'} ${version}`);
    const producer = [proto.producerName, proto.producerVersion].filter(Boolean).join(' ');
    lines.push(` Operator sets: ${sets.join(', ')}${producer ? `; written by ${producer}` : ''}`);
    lines.push(` Operators: ${operatorsOf(proto.graph!)}`);
  }
  if (!session) {
    const inputs = leavesOf<InputSpec>(model.network.inputs, isInputSpec).map(
      ({ dtype = 'f32', shape }) =>
        `${dtype} ${shape ? `[${['?', ...shape.map((n) => n ?? '?')].join(', ')}]` : 'any'}`,
    );
    return [...lines, ` Inputs: ${inputs.join(', ')}`];
  }
  const list = (values: OnnxSession['inputs']): string =>
    values.map(({ name, type, dims }) => `${name} ${type}${dims ? ` [${dims.join(', ')}]` : ''}`).join('\n         ');
  const states = Object.entries(session.states).map(([from, to]) => `${from} → ${to}`);
  lines.push(` Inputs: ${list(session.inputs)}`, ` Outputs: ${list(session.outputs)}`);
  if (states.length > 0) lines.push(` States: ${states.join(', ')}`);
  return lines;
}

/** How often each operator is in a graph and the graphs of its nodes. */
function operatorsOf(graph: GraphProto): string {
  const counts = new Map<string, number>();
  const visit = ({ node = [] }: GraphProto): void => {
    for (const { opType = '', attribute = [] } of node) {
      counts.set(opType, (counts.get(opType) ?? 0) + 1);
      for (const { g } of attribute) if (g) visit(g);
    }
  };
  visit(graph);
  const names = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return names.map(([name, count]) => (count > 1 ? `${name} ×${count}` : name)).join(', ');
}
