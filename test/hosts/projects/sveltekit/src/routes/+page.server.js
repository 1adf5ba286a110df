import * as tapeloop from 'tapeloop';
import * as data from 'tapeloop/data';
import { train } from '../../training.mjs';

export const load = async () => ({ result: await train(tapeloop, data) });
