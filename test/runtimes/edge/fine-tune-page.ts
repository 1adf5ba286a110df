import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { visitFolder } from '../hosts/browsers.ts';
import { bundleScripts } from '../hosts/bundlers.ts';

interface Seen {
  /** What the page said to strokes of gestures that the model came with. */
  known: Record<string, string>;
  learned: string;
  /** The number of a taught gesture, and what the page said to a new stroke of it. */
  guesses: [number, string][];
  saved: number[];
}

/** The page as it stands: gestures are drawn, taught and guessed, and the taught model is an ONNX file. */
export async function fineTunePage(app: string): Promise<string> {
  const folder = join(app, 'examples/fine-tune-page');
  execFileSync(process.execPath, ['make-model.mjs'], { cwd: folder });
  await bundleScripts([join(folder, 'main.js'), join(app, 'teach.mjs')], join(folder, 'bundle'));
  const page = readFileSync(join(folder, 'index.html'), 'utf8');
  const script = '<script type="module" src="./bundle/teach.js"></script></html>';
  writeFileSync(join(folder, 'index.html'), page.replace('</html>', script));
  const { known, learned, guesses, saved } = await visitFolder<Seen>('chromium', folder);
  for (const [name, said] of Object.entries(known)) assert.match(said, new RegExp(`looks like ${name},`));
  assert.match(learned, /^Learned from 12 strokes, loss 0\.\d+/);
  const right = guesses.filter(([number, said]) => said.includes(`number ${number},`)).length;
  assert.ok(right >= guesses.length - 1, `expected the taught gestures, got ${JSON.stringify(guesses)}`);
  writeFileSync(join(folder, 'taught.onnx'), new Uint8Array(saved));
  const info = execFileSync('npx', ['tapeloop', 'info', 'taught.onnx'], { cwd: folder, encoding: 'utf8' });
  assert.match(info, /Operators: .*GRU/);
  return `${right} of ${guesses.length} new strokes after 12 examples; ${saved.length} bytes of ONNX`;
}
