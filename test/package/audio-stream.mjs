// An AudioWorklet's model: a capture of an amplifier, block by block.
import { namStream } from 'tapeloop/audio-stream';

const stream = namStream(await (await fetch('amp.nam')).text(), { maxSteps: 128 });
console.log(stream.steps(new Float32Array(128), 128));
