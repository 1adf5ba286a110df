// npm run acceptance -- --data DIR [--only NAME,NAME] [--seed N] [--json FILE]
// Runs the examples with fixed seeds and prints a table of results beside their targets; progress goes to standard error. Ends with 1
// if a target is missed.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { engine } from 'tapeloop';
import { checkFiles, ExampleError, exampleNames, loadExample, type Result, runExample, table } from './examples.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    only: { type: 'string' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});

try {
  const names = values.only?.split(',') ?? exampleNames();
  const examples = await Promise.all(names.map(async (name) => [name, await loadExample(name)] as const));
  for (const [name, example] of examples) checkFiles(name, example, values.data);
  const results: Result[] = [];
  for (const [name, example] of examples) {
    const log = (text: string): void => void process.stderr.write(`${text.replace(/^/gm, `${name.padEnd(12)} `)}\n`);
    results.push(...(await runExample(name, example, { data: values.data ?? '', seed: Number(values.seed), log })));
    // After each, so that a run that is cut short keeps what it has.
    if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 1)}\n`);
  }
  console.log(`Node ${process.versions.node}, ${engine().build} build, seed ${values.seed}\n\n${table(results)}`);
  process.exitCode = results.every(({ pass }) => pass) ? 0 : 1;
} catch (error) {
  if (!(error instanceof ExampleError)) throw error;
  console.error(`acceptance: ${error.message}`);
  process.exitCode = 2;
}
