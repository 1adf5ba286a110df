// Is the number of ones so far even? The task needs one bit of memory that is never wrong. The network trains on
// strings of up to 20 bits and is tested on strings of 100 and 1,000.
import {
  adam,
  binaryCrossentropy,
  dense,
  lstm,
  ndarray,
  progressText,
  RandomStream,
  sequential,
  setSeed,
} from 'tapeloop';

export const about = 'A string’s parity, learned on up to 20 bits and asked about 100.';

/**
 * Random bits `[count, length, 1]`, and for each bit the parity of all bits up to it. So every string also trains on
 * all of its beginnings.
 */
function strings(random, count, length) {
  const x = Float32Array.from({ length: count * length }, () => random.nextUint32() & 1);
  let odd = 0;
  const y = x.map((bit, i) => {
    odd = i % length === 0 ? bit : odd ^ bit;
    return odd;
  });
  return [x, y].map((values) => ndarray(values, [count, length, 1]));
}

export async function run({ seed, log, quick = false }) {
  setSeed(seed);
  const random = new RandomStream(seed);
  const model = sequential([lstm({ units: 8, returnSequences: true, inputShape: [null, 1] }), dense({ units: 1 })]);
  const loss = binaryCrossentropy({ fromLogits: true });
  model.compile({ optimizer: adam({ learningRate: 0.01, globalClipNorm: 1 }), loss, metrics: ['accuracy'] });

  const [x, y] = strings(random, quick ? 64 : 4096, 20);
  await model.fit(x, y, {
    epochs: quick ? 1 : 40,
    batchSize: 64,
    callbacks: [progressText((line, isLast) => isLast && log(line))],
  });

  const lastRight = (length) => {
    const [bits, parities] = strings(random, 1000, length);
    const logits = model.predict(bits, { batchSize: 100 }).data;
    let right = 0;
    for (let i = length - 1; i < logits.length; i += length) right += logits[i] > 0 === parities.data[i] > 0.5;
    return right / 1000;
  };
  return [
    { metric: 'accuracy, 20 bits', value: lastRight(20) },
    { metric: 'accuracy, 100 bits', value: lastRight(100), atLeast: 0.99 },
    { metric: 'accuracy, 1000 bits', value: lastRight(1000) },
  ];
}
