import * as tapeloop from 'tapeloop';
import * as data from 'tapeloop/data';

console.log(Object.keys(tapeloop).length, Object.keys(data).length);
