// npm run examples                            lists the examples
// npm run examples -- NAME [--data DIR] [--seed N]   runs one
import { parseArgs } from 'node:util';
import { checkFiles, ExampleError, exampleNames, loadExample, runExample, table } from '../acceptance/examples.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { data: { type: 'string' }, seed: { type: 'string', default: '1' } },
});

async function list(): Promise<void> {
  for (const name of exampleNames()) {
    const { about, files = {} } = await loadExample(name);
    const needs = Object.keys(files).length > 0 ? ` Reads ${Object.keys(files).join(', ')}.` : '';
    console.log(`${name.padEnd(14)} ${about}${needs}`);
  }
  console.log('\nTo run one: npm run examples -- NAME --data DIR, where DIR holds the files it reads.');
}

try {
  const [name, ...rest] = positionals;
  if (rest.length > 0) throw new ExampleError(`expected one NAME, got ${positionals.join(' ')}`);
  if (name === undefined) await list();
  else {
    const example = await loadExample(name);
    checkFiles(name, example, values.data);
    const options = { data: values.data ?? '', seed: Number(values.seed), log: console.log };
    console.log(`\n${table(await runExample(name, example, options))}`);
  }
} catch (error) {
  if (!(error instanceof ExampleError)) throw error;
  console.error(`examples: ${error.message}`);
  process.exitCode = 2;
}
