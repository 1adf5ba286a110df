const { writeFileSync } = require('node:fs');
const tapeloop = require('tapeloop');
const data = require('tapeloop/data');
const { train } = require('./training.cjs');

train(tapeloop, data).then((result) => writeFileSync('result.json', JSON.stringify(result)));
