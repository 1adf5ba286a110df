// The example's processor, and how long each of its blocks takes, by the finest clock that the scope has.
import { RecurrentProcessor } from './examples/audio-worklet/processor.js';

const now = globalThis.performance ? () => performance.now() : Date.now;

registerProcessor(
  'timed',
  class extends RecurrentProcessor {
    blocks = 0;
    milliseconds = 0;
    longest = 0;
    lacks = ['TextDecoder', 'atob', 'performance'].filter((name) => globalThis[name] === undefined);

    constructor(options) {
      super(options);
      this.port.onmessage = () => {
        const { blocks, milliseconds, longest, lacks } = this;
        this.port.postMessage({ blocks, milliseconds, longest, lacks });
      };
    }

    process(inputs, outputs) {
      const start = now();
      const goesOn = super.process(inputs, outputs);
      const took = now() - start;
      this.blocks++;
      this.milliseconds += took;
      this.longest = Math.max(this.longest, took);
      return goesOn;
    }
  },
);
