// npm run examples                                                      lists the examples
// npm run examples -- NAME [--data DIR] [--seed N] [--pictures DIR]     runs one; DIR gets the pictures that it draws
import {
  checkFiles,
  drawInto,
  ExampleError,
  exampleNames,
  loadExample,
  readArguments,
  runExample,
  runScript,
  table,
} from '../acceptance/examples.ts';

async function list(): Promise<void> {
  for (const name of exampleNames()) {
    const { about, files = {} } = await loadExample(name);
    const needs = Object.keys(files).length > 0 ? ` Reads ${Object.keys(files).join(', ')}.` : '';
    console.log(`${name.padEnd(14)} ${about}${needs}`);
  }
  console.log('\nTo run one: npm run examples -- NAME --data DIR, where DIR holds the files it reads.');
}

await runScript('examples', async () => {
  const { data, pictures, seed, positionals } = readArguments(['data', 'pictures']);
  const [name, ...rest] = positionals;
  if (rest.length > 0) throw new ExampleError(`expected one NAME, got ${positionals.join(' ')}`);
  if (name === undefined) return list();
  const example = await loadExample(name);
  checkFiles(name, example, data);
  const options = { data: data ?? '', seed, log: console.log, draw: drawInto(pictures) };
  console.log(`\n${table(await runExample(name, example, options))}`);
});
