// Without a file system the functions of tapeloop/node say so; the bundler does not fail.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a program prints under conditions of a package's exports. */
const printed = (program: string, ...conditions: string[]): string =>
  execFileSync(process.execPath, [...conditions.map((each) => `--conditions=${each}`), '--input-type=module'], {
    cwd: root,
    input: program,
    encoding: 'utf8',
  }).trim();

const names = "import * as node from 'tapeloop/node'; console.log(Object.keys(node).sort().join());";

test.each(['workerd', 'edge-light'])('tapeloop/node for %s, has the names of the real one', (condition) => {
  expect(printed(names, condition)).toBe(printed(names));
});

test('tapeloop/node at the edge, says what takes its place', () => {
  const program =
    "import { saveModel } from 'tapeloop/node'; try { saveModel(); } catch (e) { console.log(e.message); }";
  expect(printed(program, 'edge-light')).toBe(
    "saveModel: tapeloop/node needs a file system; encodeModel and decodeModel of 'tapeloop' give and take bytes",
  );
});
