// Every test under fences, which are looked at behind each.
import { afterEach } from 'vitest';
import { checkFences, installFences } from './fences.ts';

installFences();
afterEach(checkFences);
