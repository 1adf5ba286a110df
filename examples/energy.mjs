// Germany's electricity tomorrow, from the 33 days before: an LSTM beside forecasts that keep no state. No calendar is given, so that a
// holiday can only surprise. Trained on 2006 to 2015; the epoch kept and every setting were chosen on 2016; 2017 is the test.
import { readFileSync } from 'node:fs';
import { adam, dense, lstm, ndarray, sequential, setSeed } from 'tapeloop';

export const about = 'Daily electricity consumption: an LSTM beside forecasts without memory.';
export const files = {
  'opsd_germany_daily.csv': 'https://raw.githubusercontent.com/jenfly/opsd/master/opsd_germany_daily.csv',
};

const window = 33;

export async function run({ data, seed, log, quick = false }) {
  const lines = readFileSync(`${data}/opsd_germany_daily.csv`, 'utf8').trim().split('\n').slice(1);
  const years = lines.map((line) => Number(line.slice(0, 4)));
  const consumption = lines.map((line) => Number(line.split(',')[1]));
  const daysOf = (from, to) => years.flatMap((year, day) => (day >= window && year >= from && year <= to ? [day] : []));
  const [train, validation, test] = [daysOf(2006, 2015), daysOf(2016, 2016), daysOf(2017, 2017)];

  const past = consumption.slice(0, validation[0]);
  const average = past.reduce((sum, value) => sum + value) / past.length;
  const deviation = Math.sqrt(past.reduce((sum, value) => sum + (value - average) ** 2, 0) / past.length);
  const scaled = consumption.map((value) => (value - average) / deviation);
  const inputs = (days, ...shape) =>
    ndarray(Float32Array.from(days.flatMap((day) => scaled.slice(day - window, day))), [days.length, ...shape]);
  const targets = (days) =>
    ndarray(
      Float32Array.from(days, (day) => scaled[day]),
      [days.length, 1],
    );

  const rmse = (days, forecast) =>
    Math.sqrt(days.reduce((sum, day, i) => sum + (forecast(day, i) - consumption[day]) ** 2, 0) / days.length);

  /** RMSE on the test year, with the weights of the epoch that did best on the validation year. */
  async function learn(name, layers, { shape, epochs, learningRate }) {
    setSeed(seed);
    const model = sequential(layers);
    const optimizer = adam({ learningRate, globalClipNorm: 1 });
    model.compile({ optimizer, loss: 'meanSquaredError' });
    const error = (days) => {
      const { data } = model.predict(inputs(days, ...shape), { batchSize: 128 });
      return rmse(days, (_, i) => average + deviation * data[i]);
    };
    const [x, y] = [inputs(train, ...shape), targets(train)];
    let best = { error: Infinity };
    const onEpochBegin = (epoch) => {
      optimizer.learningRate = learningRate * (0.5 + 0.5 * Math.cos((Math.PI * epoch) / epochs));
    };
    const onEpochEnd = (epoch, { loss }) => {
      const held = error(validation);
      if (held < best.error) best = { error: held, weights: model.weights.map((weight) => weight.toArray()) };
      if (epoch % 10 === 9) log(`${name}, epoch ${epoch + 1}: loss ${loss.toFixed(4)}, 2016 RMSE ${held.toFixed(1)}`);
    };
    await model.fit(x, y, { epochs: quick ? 1 : epochs, callbacks: [{ onEpochBegin, onEpochEnd }] });
    model.weights.forEach((weight, i) => weight.assign(best.weights[i]));
    return error(test);
  }

  const flat = [window];
  const steps = [window, 1];
  const linear = [dense({ units: 1, inputShape: flat })];
  const forward = [dense({ units: 64, activation: 'relu', inputShape: flat }), dense({ units: 1 })];
  const recurrent = [lstm({ units: 64, inputShape: steps }), dense({ units: 1 })];
  return [
    { metric: 'RMSE 2017, as yesterday', value: rmse(test, (day) => consumption[day - 1]) },
    { metric: 'RMSE 2017, as a week before', value: rmse(test, (day) => consumption[day - 7]) },
    {
      metric: 'RMSE 2017, linear autoregression',
      value: await learn('linear', linear, { shape: flat, epochs: 60, learningRate: 0.003 }),
    },
    {
      metric: 'RMSE 2017, feed-forward 64',
      value: await learn('feed-forward', forward, { shape: flat, epochs: 40, learningRate: 0.001 }),
    },
    {
      metric: 'RMSE 2017, LSTM 64',
      value: await learn('LSTM', recurrent, { shape: steps, epochs: 60, learningRate: 0.003 }),
      atMost: 45,
    },
  ];
}
