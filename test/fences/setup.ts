// Every test runs with fences. They are checked after each test.
import { afterEach } from 'vitest';
import { Recording } from '../../src/engine/recording.ts';
import { checkFences, installFences } from './fences.ts';

installFences();
// A repeated run writes to buffers that nothing allocates anew.
Object.defineProperty(Recording.prototype, 'fits', { get: () => false });
afterEach(checkFences);
