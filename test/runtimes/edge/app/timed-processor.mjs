// The processor of the example, with the time of each block by the finest clock of the scope, and two processors to
// compare it with.
import { RecurrentProcessor } from './examples/audio-worklet/processor.js';

const now = globalThis.performance ? () => performance.now() : Date.now;
const BLOCK = 128;

/**
 * Tells, whenever it is asked, how many blocks there were, in how many frames of the context, and how long they took.
 */
const timed = (Processor) =>
  class extends Processor {
    blocks = 0;
    milliseconds = 0;
    longest = 0;
    lacks = ['TextDecoder', 'atob', 'performance'].filter((name) => globalThis[name] === undefined);

    constructor(options) {
      super(options);
      this.port.onmessage = () => {
        const { blocks, milliseconds, longest, lacks } = this;
        this.port.postMessage({ blocks, milliseconds, longest, lacks, frame: this.nextFrame });
      };
    }

    process(inputs, outputs) {
      const start = now();
      const goesOn = super.process(inputs, outputs);
      const took = now() - start;
      this.nextFrame = currentFrame + BLOCK;
      this.blocks++;
      this.milliseconds += took;
      this.longest = Math.max(this.longest, took);
      return goesOn;
    }
  };

class Empty extends AudioWorkletProcessor {
  process() {
    return true;
  }
}

/** Half as long again as a block lasts: what must be late. */
class Late extends AudioWorkletProcessor {
  process() {
    const end = now() + (1.5 * 1000 * BLOCK) / sampleRate;
    while (now() < end);
    return true;
  }
}

registerProcessor('model', timed(RecurrentProcessor));
registerProcessor('empty', timed(Empty));
registerProcessor('late', timed(Late));
