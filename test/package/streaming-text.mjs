// An app that writes with a language model of a file.
import { generate, loadStream } from 'tapeloop/stream';

const stream = await loadStream('model.safetensors');
for await (const id of generate(stream, [0], { topP: 0.9 })) console.log(stream.vocabulary[id]);
