// Runs one build of the package in its own process. On request it prepares a case and times samples of it.
import { pathToFileURL } from 'node:url';
import { cases } from './cases.mjs';

const api = await import(pathToFileURL(process.argv[2]).href);
let run;
let repeats = 1;

process.on('message', ({ make, sampleMs }) => {
  if (make !== undefined) {
    api.setSeed(1);
    run = cases[make].make(api);
    const first = run();
    // The warm-up is long enough for the optimizing compiler to finish.
    const start = performance.now();
    let calls = 0;
    while (calls < 5 || performance.now() - start < 1500) {
      run();
      calls++;
    }
    repeats = Math.max(1, Math.ceil(sampleMs / ((performance.now() - start) / calls)));
    process.send({ first });
    return;
  }
  const start = performance.now();
  for (let i = 0; i < repeats; i++) run();
  process.send({ ms: (performance.now() - start) / repeats });
});
process.send('ready');
