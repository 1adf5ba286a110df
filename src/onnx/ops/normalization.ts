// Normalizations.
import type { Weight } from '../../autograd/parameter.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import * as ops from '../../ops/index.ts';
import { DerivedWeights } from '../graph/derived.ts';
import type { Operator } from '../graph/node.ts';
import { sizeOf } from '../graph/room.ts';
import { Value } from '../graph/value.ts';
import { axisOf } from './broadcast.ts';

/** One number for each channel of `[N, C, …]`. */
const perChannel = (x: Tensor, rank: number): Tensor =>
  ops.reshape(x, [x.size, ...Array(Math.max(rank - 2, 0)).fill(1)]);

const batchNormalization: Operator = {
  make(node) {
    const epsilon = node.float('epsilon', 1e-5);
    node.float('momentum', 0.9);
    node.int('is_test', 0);
    if (node.flag('training_mode')) node.refuse('training_mode=1');
    if (node.int('spatial', 1) === 0) node.refuse('spatial=0');
    const derived = new DerivedWeights(node);
    return ([x, scale, bias, mean, variance]) => {
      // y = x·a + b with a = scale/√(variance + ε) and b = bias − mean·a
      const [a, b] = derived.of([scale!, bias!, mean!, variance!], ([s, shift, m, v]) => {
        const factor = ops.div(s!, ops.sqrt(ops.addScalar(v!, epsilon)));
        return [factor, ops.sub(shift!, ops.mul(m!, factor))];
      }) as [Weight, Weight];
      if (x!.isChannelsLast) return Value.ofChannelsLast(ops.add(ops.mul(x!.channelsLast, a), b));
      const rank = x!.shape.length;
      const [factor, offset] = [a, b].map((each) => perChannel('tensor' in each ? each.tensor : each, rank)) as [
        Tensor,
        Tensor,
      ];
      return Value.ofTensor(ops.add(ops.mul(x!.tensor, factor), offset), x!.type);
    };
  },
};

export const layerNormalization = (defaultEpsilon = 1e-5): Operator => ({
  make(node) {
    const [axis, epsilon] = [node.int('axis', -1), node.float('epsilon', defaultEpsilon)];
    node.int('stash_type', 1);
    return ([x, scale, bias]) => {
      const at = axisOf(axis, x!.shape.length);
      const width = sizeOf(x!.shape.slice(at));
      const rows = ops.reshape(x!.tensor, [sizeOf(x!.shape.slice(0, at)), width]);
      const flat = (w: Value | undefined): Weight | undefined =>
        w &&
        (w.parameter && w.shape.length === 1 && w.size === width
          ? w.parameter
          : ops.reshape(ops.broadcastTo(w.tensor, x!.shape.slice(at)), [width]));
      const y = Value.ofTensor(
        ops.reshape(ops.layerNorm(rows, flat(scale), flat(bias), { epsilon }), x!.shape),
        x!.type,
      );
      if (node.outputs.length < 2) return y;
      const stats = [...x!.shape.slice(0, at), ...Array(x!.shape.length - at).fill(1)] as number[];
      const mean = ops.mean(rows, { axis: 1, keepDims: true });
      const variance = ops.mean(ops.square(ops.sub(rows, mean)), { axis: 1 });
      const inverse = ops.reciprocal(ops.sqrt(ops.addScalar(variance, epsilon)));
      return [y, Value.ofTensor(ops.reshape(mean, stats)), Value.ofTensor(ops.reshape(inverse, stats))];
    };
  },
});

/** Normalizes the places of each channel, or of each group of channels. */
const groups = (isInstance: boolean): Operator => ({
  make(node) {
    const epsilon = node.float('epsilon', 1e-5);
    const count = isInstance ? undefined : node.int('num_groups', 1);
    node.int('stash_type', 1);
    const isPerGroup = !isInstance && node.version < 21;
    return ([x, scale, bias]) => {
      const [batch, channels, ...lengths] = x!.shape as [number, number, ...number[]];
      const parts = count ?? channels;
      const width = (channels / parts) * sizeOf(lengths);
      const rows = ops.layerNorm(ops.reshape(x!.tensor, [batch * parts, width]), undefined, undefined, { epsilon });
      const y = ops.reshape(rows, x!.shape);
      const wide = (w: Value): Tensor => {
        // Until version 20 a group normalization has one number a group.
        const all =
          isPerGroup && w.size === parts
            ? ops.reshape(ops.broadcastTo(ops.reshape(w.tensor, [parts, 1]), [parts, channels / parts]), [channels])
            : w.tensor;
        return perChannel(all, x!.shape.length);
      };
      return Value.ofTensor(ops.add(ops.mul(y, wide(scale!)), wide(bias!)), x!.type);
    };
  },
});

export const rmsNormalization = (defaultEpsilon = 1e-5): Operator => ({
  make(node) {
    const [axis, epsilon] = [node.int('axis', -1), node.float('epsilon', defaultEpsilon)];
    node.int('stash_type', 1);
    return ([x, scale]) => {
      const at = axisOf(axis, x!.shape.length);
      const rows = ops.reshape(x!.tensor, [sizeOf(x!.shape.slice(0, at)), sizeOf(x!.shape.slice(at))]);
      const size = ops.sqrt(ops.addScalar(ops.mean(ops.square(rows), { axis: 1, keepDims: true }), epsilon));
      return Value.ofTensor(ops.mul(ops.reshape(ops.div(rows, size), x!.shape), scale!.tensor), x!.type);
    };
  },
});

const lpNormalization: Operator = {
  make(node) {
    const [axis, p] = [node.int('axis', -1), node.int('p', 2)];
    return ([x]) => {
      const at = axisOf(axis, x!.shape.length);
      const t = x!.tensor;
      const size =
        p === 1
          ? ops.sum(ops.abs(t), { axis: at, keepDims: true })
          : ops.sqrt(ops.sum(ops.square(t), { axis: at, keepDims: true }));
      // A row of zeros stays one.
      return Value.ofTensor(ops.div(t, ops.add(size, ops.equal(size, 0))), x!.type);
    };
  },
};

const meanVariance: Operator = {
  make(node) {
    const axes = node.ints('axes') ?? [0, 2, 3];
    return ([x]) => {
      const { shape } = x!;
      const rest = [...shape.keys()].filter((axis) => !axes.includes(axis));
      const order = [...rest, ...axes];
      const turned = ops.transpose(x!.tensor, order);
      const rows = ops.reshape(turned, [
        sizeOf(rest.map((axis) => shape[axis]!)),
        sizeOf(axes.map((axis) => shape[axis]!)),
      ]);
      const centred = ops.sub(rows, ops.mean(rows, { axis: 1, keepDims: true }));
      const deviation = ops.sqrt(ops.mean(ops.square(centred), { axis: 1, keepDims: true }));
      const y = ops.reshape(ops.div(centred, ops.addScalar(deviation, 1e-9)), turned.shape);
      return Value.ofTensor(
        ops.transpose(
          y,
          order.map((_, axis) => order.indexOf(axis)),
        ),
        x!.type,
      );
    };
  },
};

export const normalizations: Readonly<Record<string, Operator>> = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization(),
  InstanceNormalization: groups(true),
  GroupNormalization: groups(false),
  RMSNormalization: rmsNormalization(),
  // The name of ONNX Runtime before operator set 23.
  SimplifiedLayerNormalization: rmsNormalization(),
  LpNormalization: lpNormalization,
  MeanVarianceNormalization: meanVariance,
};
