// The names of weights in TF.js: those of the layers, without the models that hold them.

import { weightNamesOf } from '../keras/weights/weight-names.ts';
import type { AnyLayer } from '../layers/base/layer.ts';

/** A weight as TF.js names it. */
export interface TfjsName {
  readonly name: string;
  readonly trainable: boolean;
}

/** The names of the weights of each layer without sublayers, in the order of its weights. */
export function tfjsNames(network: AnyLayer): ReadonlyMap<AnyLayer, readonly TfjsName[]> {
  const found = new Map<AnyLayer, readonly TfjsName[]>();
  const visit = (layer: AnyLayer, scope: string | undefined): void => {
    if (found.has(layer)) return;
    const { className, name, sublayers } = layer;
    const own = scope ?? name;
    if (sublayers.length === 0) {
      found.set(
        layer,
        weightNamesOf(layer).map(({ name: weight, trainable }) => ({
          name: `${own}/${spelled(className, weight)}`,
          trainable,
        })),
      );
      return;
    }
    sublayers.forEach((inner, i) => visit(inner, scopeOf(layer, inner, i, own)));
  };
  visit(network, undefined);
  return found;
}

/** What stands before the names of an inner layer's weights; undefined for the layer's own name. */
function scopeOf({ className }: AnyLayer, inner: AnyLayer, i: number, own: string): string | undefined {
  switch (className) {
    case 'Bidirectional':
      return `${own}/${inner.name}`;
    case 'TimeDistributed':
      return inner.sublayers.length > 0 ? undefined : own;
    case 'RNN':
      return own;
    case 'StackedRNNCells':
      return `${own}/RNNCell_${i}`;
    default:
      return undefined;
  }
}

const spelled = (className: string, weight: string): string =>
  className === 'DepthwiseConv2D' && weight === 'kernel' ? 'depthwise_kernel' : weight;
