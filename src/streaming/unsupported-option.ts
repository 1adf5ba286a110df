import { shown } from '../checks/argument-error.ts';

// With another value than this a recurrent layer may have no fused kernel.
const fused: Readonly<Record<string, unknown>> = {
  goBackwards: false,
  peephole: false,
  projSize: undefined,
  activation: 'tanh',
  recurrentActivation: 'sigmoid',
};

/**
 * The option that prevents a recurrent layer from running as a stream, as a part of an error message. Empty for a layer
 * that cannot run as a stream with any options.
 */
export function unsupportedOption(className: string, config: object): string {
  const given = config as Readonly<Record<string, unknown>>;
  if (!/^(LSTM|GRU|SimpleRNN)$/.test(className)) return '';
  const unsupported = Object.keys(fused).find((name) => given[name] && given[name] !== fused[name]);
  return unsupported ? ` with ${unsupported} ${shown(given[unsupported])}` : '';
}
