import * as tapeloop from 'tapeloop';
import * as characters from 'tapeloop/characters';
import * as data from 'tapeloop/data';
import * as plot from 'tapeloop/plot';

console.log(...[tapeloop, characters, data, plot].map((entry) => Object.keys(entry).length));
