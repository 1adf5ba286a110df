import { encodeNamed, startId } from '../characters/char-model.ts';
import { decodeIds } from '../data/text/text.ts';
import { yieldingBetween } from '../host/yielder.ts';
import { generateIds } from '../models/generate.ts';
import type { GenerateOptions } from './flags.ts';
import { loadRun } from './saved-run.ts';

/** Writes the prompt and the generated text to standard output, character by character. */
export async function generate(path: string, options: GenerateOptions): Promise<number> {
  const { model, vocabulary } = loadRun(path);
  const prompt = options.prompt === '' ? [startId(vocabulary)] : encodeNamed(options.prompt, vocabulary, '--prompt');
  process.stdout.write(options.prompt);
  // `yieldingBetween` lets the host handle events. So the process notices when the reader of its output has closed the
  // pipe.
  for await (const id of yieldingBetween(generateIds(model, { ...options, prompt }))) {
    process.stdout.write(decodeIds([id], vocabulary));
  }
  process.stdout.write('\n');
  return 0;
}
