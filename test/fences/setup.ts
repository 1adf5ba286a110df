// Every test runs with fences. They are checked after each test.
import { afterEach } from 'vitest';
import { checkFences, installFences } from './fences.ts';

installFences();
afterEach(checkFences);
