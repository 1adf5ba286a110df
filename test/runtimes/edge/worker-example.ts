import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorker, serving } from '../hosts/workerd.ts';

/** A model trained by the example's own script, in seconds, once for all examples that need one. */
export function modelFile(app: string): string {
  const [script, text] = [join(app, 'examples/worker/make-model.mjs'), join(app, 'node_modules/tapeloop/README.md')];
  const file = join(app, 'model.safetensors');
  execFileSync(process.execPath, [script, text, file], { cwd: app });
  return file;
}

/**
 * The worker in workerd, as its README says: text that comes in parts, a tuned model that has learned, errors in one
 * sentence.
 */
export async function workerExample(app: string): Promise<string> {
  const folder = join(app, 'examples/worker');
  cpSync(modelFile(app), join(folder, 'model.safetensors'));
  await bundleWorker(join(folder, 'worker.js'), join(folder, 'bundle'), ['workerd']);
  return serving(folder, async (url) => {
    const ask = (path: string, body?: BodyInit): Promise<Response> =>
      fetch(url + path, body === undefined ? {} : { method: 'POST', body });

    const parts = await partsOf(await ask('/generate?prompt=The&length=2000&seed=3'));
    assert.equal(parts.join('').length, 2000);
    assert.ok(parts.length > 4, `expected text in parts, got ${parts.length}`);
    const again = await (await ask('/generate?prompt=The&length=2000&seed=3')).text();
    assert.equal(again, parts.join(''), 'expected the same text for the same seed');

    const posted = readFileSync(join(app, 'node_modules/tapeloop/LICENSE'), 'utf8').repeat(4);
    const tuning = await (await ask('/finetune?steps=60', posted)).text();
    const lines = tuning
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const [first, { sample, memoryBytes }] = [lines[0].loss, lines.at(-1)];
    const last = lines.at(-2).loss;
    assert.equal(lines.length, 61);
    assert.ok(last < 0.7 * first, `expected the loss to fall, got ${first} and then ${last}`);
    assert.equal(sample.length, 200);
    assert.ok(memoryBytes < 16 * 2 ** 20, `expected less than 16 MB, got ${memoryBytes}`);

    const file = await (await ask('/finetune?steps=60&as=file', posted)).arrayBuffer();
    // /finetune writes its sample with the defaults of /generate and the seed 0.
    const tuned = await (await ask('/generate?seed=0', file)).text();
    const plain = await (await ask('/generate?seed=0')).text();
    assert.equal(tuned, sample, 'expected the text that the same tuning wrote');
    assert.notEqual(tuned, plain, 'expected another text of the tuned model');

    const newer = Buffer.from(file);
    newer.write('"9"', newer.indexOf('"formatVersion":"1"') + '"formatVersion":'.length);
    for (const [path, body, status, sentence] of [
      ['/generate?length=x', undefined, 400, "length expected a number from 1 to 2000, got 'x'"],
      ['/finetune', 'short', 400, 'expected a text of at least 41 characters'],
      ['/finetune?steps=501', posted, 400, "steps expected a number from 1 to 500, got '501'"],
      ['/finetune', 'x'.repeat(2 ** 20 + 1), 413, 'at most 1048576 bytes'],
      ['/generate', newer, 400, 'the posted file: written in format version "9"; this tapeloop reads up to 1'],
      ['/generate', 'no model', 400, 'the posted file: '],
      ['/nothing', undefined, 404, 'expected one of GET /generate'],
    ] as const) {
      const response = await ask(path, body);
      assert.equal(response.status, status, path);
      assert.ok((await response.text()).includes(sentence), `${path} expected to say ${sentence}`);
    }

    // Readers that go away leave nothing behind, and requests at the same time do not meet.
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const { body } = await ask('/finetune?steps=500', posted);
        const reader = body!.getReader();
        await reader.read();
        await reader.cancel();
      }),
    );
    const [one, two] = await Promise.all([1, 2].map(async () => (await ask('/finetune?steps=60', posted)).text()));
    const memory = /"memoryBytes":\d+/;
    assert.equal(one!.replace(memory, ''), tuning.replace(memory, ''));
    assert.equal(two!.replace(memory, ''), tuning.replace(memory, ''));
    assert.ok(JSON.parse(two!.trim().split('\n').at(-1)!).memoryBytes < 16 * 2 ** 20);
    const mb = (memoryBytes / 2 ** 20).toFixed(1);
    return `2000 characters in ${parts.length} parts; loss ${first.toFixed(2)} → ${last.toFixed(2)} in 60 steps; ${mb} MB`;
  });
}

async function partsOf(response: Response): Promise<string[]> {
  const parts: string[] = [];
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) parts.push(part);
  return parts;
}
