// An app that cuts live sound into spectra and puts it together again.
import { istftStream, stftStream } from 'tapeloop/audio';

const options = { nFft: 512, hopLength: 128 };
const [analysis, synthesis] = [stftStream(options), istftStream(options)];
console.log(synthesis.push(analysis.push(new Float32Array(1280))));
