import { statSync } from 'node:fs';
import { loadRun } from './saved-run.ts';

/** Prints the contents of a model file. */
export function info(path: string): number {
  const { model, vocabulary, run } = loadRun(path);
  const { optimizer } = model;
  const last = run.validation.at(-1);
  const lines = [
    model.summary(),
    ` File: ${path}, ${statSync(path).size.toLocaleString('en-US')} bytes`,
    ` Vocabulary: ${vocabulary.length} characters ${JSON.stringify(vocabulary.slice(0, 100).join(''))}${vocabulary.length > 100 ? ' …' : ''}`,
    ` Trained: ${run.step} steps of ${run.options.batch} × ${run.options.time} characters, ${optimizer.name} at ${optimizer.learningRate}`,
    ` Validation loss: ${last ? `${last[1].toFixed(4)} nat a character at step ${last[0]}` : 'none yet'}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}
