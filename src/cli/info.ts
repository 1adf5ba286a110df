import { runOf } from '../characters/run.ts';
import { described, grouped } from './describe.ts';
import { type ReadModel, type ReadOptions, readModel } from './model-file.ts';

/** Prints the contents of a model file of any format. */
export function info(path: string, options: ReadOptions): number {
  const read = readModel(path, options);
  const lines = isRun(read) ? describedRun(read) : described(read);
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

/** Whether a file holds a character model with the record of its training. */
const isRun = ({ extra }: ReadModel): boolean => (extra as { step?: unknown } | undefined)?.step !== undefined;

function describedRun({ path, bytes, ...loaded }: ReadModel): string[] {
  const { model, vocabulary, run } = runOf(loaded, path);
  const { optimizer } = model;
  const last = run.validation.at(-1);
  return [
    model.summary(),
    ` File: ${path}, ${grouped(bytes.length)} bytes`,
    ` Vocabulary: ${vocabulary.length} characters ${JSON.stringify(vocabulary.slice(0, 100).join(''))}${vocabulary.length > 100 ? ' …' : ''}`,
    ` Trained: ${run.step} steps of ${run.options.batch} × ${run.options.time} characters, ${optimizer.name} at ${optimizer.learningRate}`,
    ` Validation loss: ${last ? `${last[1].toFixed(4)} nat a character at step ${last[0]}` : 'none yet'}`,
  ];
}
