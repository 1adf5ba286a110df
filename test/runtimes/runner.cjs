// The suite as CommonJS, which requires the package.
const { tensor, ops } = require('tapeloop');
const { runSuite } = require('./suite.cjs');

if (ops.sum(tensor([1, 2, 3])).item() !== 6) throw new Error('sum expected 6');
runSuite().then((result) => console.log(JSON.stringify(result)));
