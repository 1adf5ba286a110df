import express from 'express';
import * as tapeloop from 'tapeloop';
import * as data from 'tapeloop/data';
import { train } from './training.mjs';

const app = express();
app.get('/', async (_, response) => response.json(await train(tapeloop, data)));
app.listen(Number(process.env.PORT), '127.0.0.1');
