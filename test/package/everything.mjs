import * as tapeloop from 'tapeloop';
import * as data from 'tapeloop/data';
import * as plot from 'tapeloop/plot';

console.log(...[tapeloop, data, plot].map((entry) => Object.keys(entry).length));
