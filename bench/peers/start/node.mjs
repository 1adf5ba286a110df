// Nothing: what every other script here takes as well.
console.log('first result');
