// Pages without a bundler. They load the package by a tag from another origin, as from a CDN, and check its hash.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { scriptTags } from '../../scripts/script-tags.ts';
import { type Browser, isolated, visitFolder } from '../runtimes/hosts/browsers.ts';
import type { Project, Result } from './project.ts';

const post = `
  .catch(({ message }) => ({ error: message }))
  .then((result) => fetch('/result', { method: 'POST', body: JSON.stringify(result) }));`;

const scripts = {
  classic: `<script src="training.global.js"></script>
<script>
training.train(tapeloop, tapeloop)${post}
</script>`,
  module: `<script type="module">
import * as tapeloop from 'tapeloop';
import * as data from 'tapeloop/data';
import { train } from './training.mjs';
train(tapeloop, data)${post}
</script>`,
};

export const page =
  (kind: 'classic' | 'module', browser: Browser, isIsolated = false) =>
  async ({ dir }: Project): Promise<Result> => {
    const dist = join(dir, 'node_modules/tapeloop/dist');
    const path = '/npm/tapeloop@0.0.0/dist';
    const cdn = createServer(({ url }, response) => {
      const file = url!.startsWith(`${path}/tapeloop.`) ? readFileSync(join(dist, url!.slice(path.length))) : undefined;
      response.writeHead(file ? 200 : 404, { 'content-type': 'text/javascript', 'access-control-allow-origin': '*' });
      response.end(file);
    });
    await new Promise<void>((resolve) => cdn.listen(0, '127.0.0.1', resolve));
    try {
      const base = `http://127.0.0.1:${(cdn.address() as AddressInfo).port}${path}`;
      const folder = join(dir, `page-${kind}`);
      mkdirSync(folder, { recursive: true });
      for (const file of ['training.mjs', 'training.global.js']) {
        writeFileSync(join(folder, file), readFileSync(join(dir, file)));
      }
      const head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>tapeloop</title>';
      writeFileSync(
        join(folder, 'index.html'),
        `${head}\n${scriptTags(base, dist)[kind]}\n${scripts[kind]}\n</html>\n`,
      );
      return await visitFolder<Result>(browser, folder, isIsolated ? isolated : {});
    } finally {
      cdn.close();
      cdn.closeAllConnections();
    }
  };
