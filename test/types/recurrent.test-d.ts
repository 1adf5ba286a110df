// Types of recurrent layers. `npm run typecheck` checks them.
import {
  additiveAttention,
  attention,
  bidirectional,
  gru,
  gruCell,
  type Layer,
  type LstmOptions,
  lstm,
  type Recurrent,
  rnn,
  sequential,
  simpleRnn,
  type Tensor,
} from '../../src/index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};
declare const flag: boolean;

type H = [y: Tensor, h: Tensor];
type Hc = [y: Tensor, h: Tensor, c: Tensor];

// What a layer gives follows from `returnState`.
export const plain = { units: 3, returnSequences: true };
const stated = { units: 3, returnState: true } as const;
same<ReturnType<typeof lstm>, Recurrent<Tensor | Hc>>(true);
const outputs = {
  lstm: [lstm(plain), lstm({ units: 3 }), lstm({ units: 3, returnState: false })] satisfies Recurrent<Tensor>[],
  gru: [gru(plain), gru({ units: 3 })] satisfies Recurrent<Tensor>[],
  simpleRnn: [simpleRnn(plain), simpleRnn({ units: 3 })] satisfies Recurrent<Tensor>[],
  rnn: [
    rnn(gruCell({ units: 3 }), { returnSequences: true }),
    rnn(gruCell({ units: 3 })),
  ] satisfies Recurrent<Tensor>[],
};
const withStates = {
  lstm: [lstm({ units: 3, returnState: true }), lstm(stated)] satisfies Recurrent<Hc>[],
  gru: [gru({ units: 3, returnState: true }), gru(stated)] satisfies Recurrent<H>[],
  simpleRnn: [simpleRnn({ units: 3, returnState: true })] satisfies Recurrent<H>[],
  rnn: [rnn(gruCell({ units: 3 }), { returnState: true })] satisfies Recurrent<Tensor[]>[],
};
same<(typeof withStates.lstm)[0], Recurrent<Hc>>(true);
// A boolean that is not known gives either.
const either = lstm({ units: 3, returnState: flag });
same<typeof either, Recurrent<Tensor | Hc>>(true);
declare const variable: LstmOptions;
const ofVariable = lstm(variable);
same<typeof ofVariable, Recurrent<Tensor | Hc>>(true);
export const model = sequential([lstm(plain), gru({ units: 3, returnSequences: true }), outputs.rnn[0]!]);

const one = bidirectional(lstm(plain));
same<typeof one, Layer<Tensor>>(true);
const two = bidirectional(lstm(plain), { mergeMode: 'none' });
same<typeof two, Layer<Tensor[]>>(true);
const states = bidirectional(lstm({ units: 3, returnState: true }), { mergeMode: 'sum' });
same<typeof states, Layer<Tensor[]>>(true);

const looks = attention({ returnAttentionScores: true });
same<typeof looks, Layer<[y: Tensor, weights: Tensor], readonly Tensor[]>>(true);

export const refused = [
  // @ts-expect-error: Keras's spelling in Python.
  lstm({ units: 3, return_sequences: true }),
  // @ts-expect-error: no option of it.
  gru({ units: 3, unitForgetBias: true }),
  // @ts-expect-error: misspelt.
  simpleRnn({ units: 3, actviation: 'tanh' }),
  // @ts-expect-error: an option of the cell.
  rnn(gruCell({ units: 3 }), { units: 3 }),
  // @ts-expect-error: an option of the layer.
  gruCell({ units: 3, returnSequences: true }),
  // @ts-expect-error: Keras's spelling in Python.
  bidirectional(lstm({ units: 3 }), { merge_mode: 'sum' }),
  // @ts-expect-error: no such mode.
  bidirectional(lstm({ units: 3 }), { mergeMode: 'max' }),
  // @ts-expect-error: Keras's spelling in Python.
  attention({ use_scale: true }),
  // @ts-expect-error: an option of `attention`.
  additiveAttention({ scoreMode: 'dot' }),
  // @ts-expect-error: no boolean.
  lstm({ units: 3, returnState: 1 }),
  // @ts-expect-error: no object.
  lstm(3),
];
