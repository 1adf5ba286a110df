import { decodeIds, encodeText } from '../data/text.ts';
import { generateIds } from '../train/generate.ts';
import { loadRun } from './char-model.ts';
import type { GenerateOptions } from './flags.ts';

/** Writes the prompt and what the model goes on with to standard output, as it comes. */
export function generate(path: string, options: GenerateOptions): number {
  const { model, vocabulary } = loadRun(path);
  const start =
    options.prompt === '' ? [Math.max(vocabulary.indexOf('\n'), 0)] : encodeText(options.prompt, vocabulary);
  process.stdout.write(options.prompt);
  for (const id of generateIds(model, { ...options, prompt: start })) process.stdout.write(decodeIds([id], vocabulary));
  process.stdout.write('\n');
  return 0;
}
