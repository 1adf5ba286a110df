// npm run acceptance -- --data DIR [--only NAME,NAME] [--seed N] [--json FILE] [--pictures DIR]
// Runs the examples with one seed and prints a table of results and targets. Progress goes to standard error. The exit
// code is 1 if a target is missed.
import { writeFileSync } from 'node:fs';
import { engine } from 'tapeloop';
import {
  checkFiles,
  drawInto,
  ExampleError,
  exampleNames,
  loadExample,
  type Result,
  readArguments,
  runExample,
  runScript,
  table,
} from './examples.ts';

await runScript('acceptance', async () => {
  const { data, only, json, pictures, seed, positionals } = readArguments(['data', 'only', 'json', 'pictures']);
  if (positionals.length > 0) throw new ExampleError(`expected flags alone, got '${positionals[0]}'`);
  const names = only?.split(',') ?? exampleNames();
  const examples = await Promise.all(names.map(async (name) => [name, await loadExample(name)] as const));
  for (const [name, example] of examples) checkFiles(name, example, data);
  const results: Result[] = [];
  for (const [name, example] of examples) {
    const log = (text: string): void => void process.stderr.write(`${text.replace(/^/gm, `${name.padEnd(12)} `)}\n`);
    results.push(...(await runExample(name, example, { data: data ?? '', seed, log, draw: drawInto(pictures) })));
    // The file is written after each example, so a run that is cut short keeps its results.
    if (json) writeFileSync(json, `${JSON.stringify(results, null, 1)}\n`);
  }
  console.log(`Node ${process.versions.node}, ${engine().build} build, seed ${seed}\n\n${table(results)}`);
  if (results.some(({ pass }) => !pass)) process.exitCode = 1;
});
