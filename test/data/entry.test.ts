// The built package, imported as in a user's program.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('tapeloop/data, imported beside tapeloop, gives arrays of its classes and throws its errors', () => {
  const program = `
    import { ArgumentError, NdArray } from 'tapeloop';
    import { loadCsv, padSequences } from 'tapeloop/data';
    const table = await loadCsv(new TextEncoder().encode('a,b\\n1,2\\n'));
    console.log(table.array(['a', 'b']) instanceof NdArray, padSequences([[1]]) instanceof NdArray);
    try { table.numbers('c') } catch (error) { console.log(error instanceof ArgumentError) }`;
  const args = ['--input-type=module', '--eval', program];
  // Within the package's own folder the names lead to its exports and dist.
  const cwd = new URL('../..', import.meta.url);
  expect(execFileSync(process.execPath, args, { cwd, encoding: 'utf8' })).toBe('true true\ntrue\n');
});
