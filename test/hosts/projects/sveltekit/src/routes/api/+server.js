import * as tapeloop from 'tapeloop';
import * as data from 'tapeloop/data';
import { train } from '../../../training.mjs';

export const GET = async () => Response.json(await train(tapeloop, data));
