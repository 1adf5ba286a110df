// An empty script. The time of every other script here includes its time.
console.log('first result');
