import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { publicApi } from '../../scripts/public-api.ts';

test('the public API, is what test/types/public-api.txt lists; npm run api writes it anew', () => {
  expect(publicApi()).toBe(readFileSync(new URL('public-api.txt', import.meta.url), 'utf8'));
});
