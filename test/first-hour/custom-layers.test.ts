// Custom layers as new users write them: they train as intended, or one sentence says what is wrong.
import { describe, expect, test } from 'vitest';
import * as t from '../../src/index.ts';

type Options = t.LayerOptions & Record<string, unknown>;
type Use = { training?: boolean | undefined; mask?: t.Tensor | undefined };

/** A layer that gives what it takes, but for what a test overrides. */
class Plain extends t.Layer {
  readonly className: string = 'Plain';
  constructor(options?: Options, own?: object) {
    super('plain', options, own);
  }
  override outputShape(shape: t.BatchShape): t.BatchShape {
    return shape;
  }
  override config(): t.LayerConfig {
    return this.baseConfig();
  }
  protected override call(x: t.Tensor, _: Use): t.Tensor {
    return x;
  }
}

const x = [
  [1, 2],
  [3, 4],
];
const y = [[1], [0]];
const behind = (layer: t.Layer): t.Model => {
  t.setSeed(1);
  const model = t.sequential([layer, t.dense({ units: 1 })]);
  model.compile({ optimizer: 'sgd', loss: 'mse' });
  return model;
};
const refused = (body: () => unknown, message: string): void => expect(body).toThrow(new t.ArgumentError(message));

describe('options.training in call', () => {
  const seen: unknown[] = [];
  class Seeing extends Plain {
    protected override call(q: t.Tensor, options: Use): t.Tensor {
      seen.push([options.training, options.mask !== undefined]);
      return q;
    }
  }
  const during = async (body: () => unknown): Promise<unknown[]> => {
    seen.length = 0;
    await body();
    return [...new Map(seen.map((each) => [String(each), each])).values()];
  };

  test('is true in fit, false in predict and evaluate, and what a caller says elsewhere', async () => {
    const model = behind(new Seeing());
    model.predict(x);
    expect(await during(() => model.fit(x, y))).toEqual([[true, false]]);
    expect(await during(() => model.predict(x))).toEqual([[false, false]]);
    expect(await during(() => model.evaluate(x, y))).toEqual([[false, false]]);
    const layer = new Seeing();
    expect(await during(() => layer(t.tensor(x)))).toEqual([[false, false]]);
    expect(await during(() => layer(t.tensor(x), { training: true }))).toEqual([[true, false]]);
  });

  test('is there with a mask, too, and in a model of one’s own', async () => {
    const masked = t.sequential([t.masking(), new Seeing(), t.gru({ units: 1 })]);
    masked.compile({ optimizer: 'sgd', loss: 'mse' });
    const steps = [
      [[1], [0]],
      [[2], [3]],
    ];
    masked.predict(steps);
    expect(await during(() => masked.fit(steps, y))).toEqual([[true, true]]);
    const trainings: unknown[] = [];
    const own = t.model({ layers: { a: t.dense({ units: 1 }) } }, (q, { a }, options) => {
      trainings.push(options.training);
      return a(q);
    });
    own.compile({ optimizer: 'sgd', loss: 'mse' });
    own.predict(x);
    trainings.length = 0;
    await own.fit(x, y);
    // Before it the shape of the output is looked for.
    expect(trainings.at(-1)).toBe(true);
  });
});

describe('a build() of its own', () => {
  class Keras extends Plain {
    declare w: t.Parameter;
    override build(shape: t.BatchShape): void {
      this.w = this.addWeight('w', [shape.at(-1)!], 'ones');
    }
  }

  test('that adds weights is refused, and none is left', () => {
    const layer = new Keras();
    const model = behind(layer);
    refused(() => model.trainOnBatch(x, y), "plain: addWeight() expected in makeWeights(), Keras's build()");
    expect(model.weights).toEqual([]);
  });

  test('that makes nothing and does not call super.build() is refused', () => {
    class Empty extends Plain {
      override build(): void {}
    }
    refused(
      () => new Empty()(t.tensor(x)),
      "plain: build() expected to call super.build(inputShape); makeWeights(inputShape) is Keras's build()",
    );
  });

  test('that calls super.build() is taken, with makeWeights called once', async () => {
    class Right extends Plain {
      override build(shape: t.BatchShape): void {
        super.build(shape);
      }
      protected override makeWeights(): void {
        this.addWeight('w', [2], 'ones');
      }
    }
    const model = behind(new Right());
    await model.fit(x, y, { epochs: 3 });
    expect(model.weights).toHaveLength(3);
  });

  test('addWeight after a makeWeights that failed is still refused outside of it', () => {
    class Failing extends Plain {
      add(): void {
        this.addWeight('w', [2], 'ones');
      }
      protected override makeWeights(): void {
        this.add();
        throw new t.ArgumentError('no');
      }
    }
    const layer = new Failing();
    refused(() => layer(t.tensor(x)), 'no');
    expect(() => layer.add()).toThrow('addWeight() expected in makeWeights()');
    expect(layer.weights).toEqual([]);
  });
});

describe('what call or a model function returns', () => {
  const kinds: [string, unknown, string][] = [
    ['a number, as q * 2 was', Number.NaN, 'NaN'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['an empty list', [], 'a list of 0'],
    ['a list with a number in it', [1], '1'],
    ['an array', new Float32Array(2), '0'],
  ];
  const words = 'expected to return a tensor, a list of tensors or some by name, got';

  test.each(kinds)('%s, is refused by the layer', (_, value, got) => {
    class Bad extends Plain {
      protected override call(): t.Tensor {
        return value as t.Tensor;
      }
    }
    refused(() => behind(new Bad()).predict(x), `plain: call ${words} ${got}`);
  });

  test.each(kinds)('%s, is refused by the model', (_, value, got) => {
    const model = t.model({ layers: {} }, () => value as t.Tensor);
    refused(() => model.predict(x), `model: forward ${words} ${got}`);
  });
});

describe('a Parameter in a field', () => {
  class Stray extends Plain {
    gain = new t.Parameter('gain', [2], [1, 1]);
  }

  test('that addWeight did not make is refused in a network, and taken where the caller trains it', () => {
    refused(
      () => behind(new Stray()).trainOnBatch(x, y),
      "plain: gain expected a weight, as addWeight('gain', shape, initializer) in makeWeights(inputShape) makes, got a Parameter",
    );
    expect(new Stray()(t.tensor(x)).shape).toEqual([2, 2]);
  });

  test('that is a weight of the layer or of another one is taken', () => {
    class Tied extends Plain {
      declare own: t.Parameter;
      other: t.Parameter;
      constructor(other: t.Parameter) {
        super();
        this.other = other;
      }
      protected override makeWeights(): void {
        this.own = this.addWeight('own', [2], 'ones');
      }
    }
    const first = t.sequential([t.dense({ units: 2, inputShape: [2] })]);
    expect(behind(new Tied(first.weights[0]!)).predict(x).shape).toEqual([2, 1]);
  });
});

describe('what a class in JavaScript forgets', () => {
  const lacking = (method: string): t.Layer => {
    class Lacking extends Plain {}
    // As if the class had never declared it.
    Object.defineProperty(Lacking.prototype, method, { value: Reflect.get(t.Layer.prototype, method) });
    return new Lacking();
  };

  test('options handed to super, leaves the defaults', () => {
    class Short extends t.Layer {
      readonly className = 'Short';
      constructor() {
        super('short');
      }
      override outputShape(shape: t.BatchShape): t.BatchShape {
        return shape;
      }
      override config(): t.LayerConfig {
        return this.baseConfig();
      }
      protected override call(q: t.Tensor): t.Tensor {
        return q;
      }
    }
    expect(behind(new Short()).predict(x).shape).toEqual([2, 1]);
  });

  test.each<[string, (layer: t.Layer) => unknown, string]>([
    ['call', (layer) => layer(t.tensor(x)), 'call(x, options), which computes'],
    [
      'outputShape',
      (layer) => behind(layer).predict(x),
      'outputShape(inputShape), which tells the shape of what call() returns',
    ],
    [
      'config',
      (layer) => {
        const model = behind(layer);
        model.predict(x);
        t.encodeModel(model);
      },
      'config(), which returns { ...this.baseConfig(), …its own options }, to be saved',
    ],
  ])('%s, is named', (method, use, words) => {
    const layer = lacking(method);
    refused(() => use(layer), `plain: a layer expected to have ${words}`);
  });
});

test.each<[unknown[], string]>([
  [['w', [1]], "addWeight: initializer of 'w' expected one of zeros, "],
  [['w', 3], "addWeight: shape of 'w' expected a list of integers ≥ 0, got 3"],
  [['w', [null]], "addWeight: shape of 'w' expected a list of integers ≥ 0, got [?]"],
  [[{ shape: [1] }], 'addWeight: name expected a string, got an object'],
  [['w', [1], 'he_normal'], "got 'he_normal'; did you mean 'heNormal'?"],
])('addWeight of %j, names the layer and the argument', (args, message) => {
  class Wrong extends Plain {
    protected override makeWeights(): void {
      this.addWeight(...(args as ['w', [1], 'ones']));
    }
  }
  const call = () => new Wrong()(t.tensor(x));
  expect(call).toThrow(t.ArgumentError);
  expect(call).toThrow('plain: addWeight: ');
  expect(call).toThrow(message);
});

test('options that own does not name are refused, and baseConfig has those that it does', () => {
  const own = { factor: 1 };
  expect(new Plain({ factor: 5 }, own).config()).toEqual({ name: 'plain', factor: 5 });
  refused(() => new Plain({ factr: 5 }, own), "plain: unknown option 'factr'; did you mean 'factor'?");
  refused(() => new Plain({ trainble: false }, own), "plain: unknown option 'trainble'; did you mean 'trainable'?");
});
