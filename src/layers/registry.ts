import { ArgumentError } from '../autograd/tensor.ts';
import { dense } from './dense.ts';
import { dropout } from './dropout.ts';
import { embedding } from './embedding.ts';
import type { Layer, LayerConfig } from './layer.ts';
import { gru, lstm, simpleRnn } from './recurrent.ts';

const makers: Record<string, (options: never) => unknown> = {
  Dense: dense,
  Dropout: dropout,
  Embedding: embedding,
  GRU: gru,
  LSTM: lstm,
  SimpleRNN: simpleRnn,
};

/** The layer that `config` describes. Throws `ArgumentError` for a class name that is not one of ours. */
export function layerFromConfig(className: string, config: LayerConfig): Layer {
  if (!Object.hasOwn(makers, className)) {
    throw new ArgumentError(`layer class expected one of ${Object.keys(makers).join(', ')}, got '${className}'`);
  }
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
  return makers[className]!(given as never) as Layer;
}
