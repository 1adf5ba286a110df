import { ArgumentError, shown } from '../checks/argument-error.ts';

// Options that take a recurrent layer's fused kernel away.
const options = ['goBackwards', 'peephole', 'projSize', 'activation', 'recurrentActivation'];

/**
 * Refuses a layer that no stream can run: names the class, and of a fused recurrent layer the option that is to blame.
 *
 * @param where the layer's name, in front of the error.
 * @param config its options, as a file has them.
 * @throws ArgumentError always.
 */
export function refuseStream(where: string, className: string, config: object): never {
  const given = config as Record<string, unknown>;
  const isFused = /^(LSTM|GRU|SimpleRNN)$/.test(className);
  const blamed = options.find((name) => isFused && given[name] && !/^(tanh|sigmoid)$/.test(`${given[name]}`));
  const cause = blamed ? ` with ${blamed} ${shown(given[blamed])}` : '';
  throw new ArgumentError(`${where}: ${className} layers${cause} cannot run step by step`);
}
