import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tokensOf } from '../../../src/bench/models/data.ts';
import { VOCABULARY } from '../../../src/bench/models/shapes.ts';
import type { Case } from '../cases.ts';
import type { OpenEngine, Task } from '../protocol.ts';

const require = createRequire(import.meta.url);

interface TextNetwork {
  train(texts: string[], options: { iterations: number; errorThresh: number }): unknown;
}

/**
 * brain.js trains on one sequence in each step. The characters are the tokens; the first 65 are the alphabet.
 */
function train(what: Case): Task {
  const { recurrent } = require('brain.js') as { recurrent: { LSTM: new (options: object) => TextNetwork } };
  const tokens = tokensOf(what.model!);
  const [, { units }] = what.model!.layers as [unknown, { units: number }];
  for (let id = 0; id < VOCABULARY; id++) tokens[id] = id;
  const text = String.fromCharCode(...tokens.map((id) => id + 32));
  const network = new recurrent.LSTM({ hiddenLayers: [units] });
  return {
    note: 'not compared: its LSTM has no cell state; RMSprop with each gradient clipped',
    run: () => network.train([text], { iterations: 1, errorThresh: -1 }),
  };
}

const open: OpenEngine = async ({ threads }) => {
  if (threads > 1) throw new Error('brain.js has no threads');
  const { version } = JSON.parse(readFileSync(require.resolve('brain.js/package.json'), 'utf8'));
  return {
    version,
    prepare(what) {
      if (what.kind === 'chars') return train(what);
      throw new Error('listed apart, for its characters alone: its LSTM has no cell state');
    },
  };
};

export default open;
