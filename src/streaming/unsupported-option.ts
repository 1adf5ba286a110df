import { shown } from '../checks/argument-error.ts';

// With these options a recurrent layer may have no fused kernel.
const options = ['goBackwards', 'peephole', 'projSize', 'activation', 'recurrentActivation'];

/**
 * The option that prevents a recurrent layer from running as a stream, as a part of an error message. Empty for a layer
 * that cannot run as a stream with any options.
 */
export function unsupportedOption(className: string, config: object): string {
  const given = config as Readonly<Record<string, unknown>>;
  if (!/^(LSTM|GRU|SimpleRNN)$/.test(className)) return '';
  const unsupported = options.find((name) => given[name] && !/^(tanh|sigmoid)$/.test(`${given[name]}`));
  return unsupported ? ` with ${unsupported} ${shown(given[unsupported])}` : '';
}
