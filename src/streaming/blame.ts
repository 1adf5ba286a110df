import { shown } from '../checks/argument-error.ts';

// Options that take a recurrent layer's fused kernel away.
const options = ['goBackwards', 'peephole', 'projSize', 'activation', 'recurrentActivation'];

/** Of a layer that has a kernel for streams with other options: the option that takes it away, as an error goes on. */
export function blamedOption(className: string, config: object): string {
  const given = config as Readonly<Record<string, unknown>>;
  if (!/^(LSTM|GRU|SimpleRNN)$/.test(className)) return '';
  const blamed = options.find((name) => given[name] && !/^(tanh|sigmoid)$/.test(`${given[name]}`));
  return blamed ? ` with ${blamed} ${shown(given[blamed])}` : '';
}
