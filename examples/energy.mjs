// Germany's electricity of the next day, from the 33 days before: an LSTM compared with forecasts that keep no state.
// The models get no calendar, so they cannot know holidays. They train on 2006 to 2015. The best epoch and all settings
// were chosen on 2016. The test is 2017.
import { adamw, dense, earlyStopping, lstm, ndarray, progressText, schedules, sequential, setSeed } from 'tapeloop';
import { loadCsv, standardize, windows } from 'tapeloop/data';

export const about = 'Daily electricity consumption: an LSTM beside forecasts without memory.';
export const files = {
  'opsd_germany_daily.csv': 'https://raw.githubusercontent.com/jenfly/opsd/master/opsd_germany_daily.csv',
};

const days = 33;

export async function run({ data, seed, log, quick = false }) {
  const table = await loadCsv(`${data}/opsd_germany_daily.csv`, { columns: ['Date', 'Consumption'] });
  const consumption = table.numbers('Consumption');
  const [from2016, from2017] = ['2016-01-01', '2017-01-01'].map((date) => table.strings('Date').indexOf(date));
  const scale = standardize(consumption.subarray(0, from2016));
  const scaled = scale.transform(consumption).data;
  const part = (from, to) => windows(scaled.subarray(from, to), { inputSteps: days });
  const [train, validation] = [part(0, from2016), part(from2016 - days, from2017)];
  const test = part(from2017 - days);

  /** Root of the mean of (forecast − truth)², in GWh. */
  const rmse = (forecast, truth) =>
    Math.sqrt(forecast.reduce((sum, value, i) => sum + (value - truth[i]) ** 2, 0) / truth.length);
  const as = (lag) => rmse(consumption.slice(from2017 - lag, -lag), consumption.subarray(from2017));

  /** RMSE on the test year, with the weights of the epoch that was best on the validation year. */
  async function learn(name, layers, { shape, epochs, learningRate }) {
    setSeed(seed);
    const model = sequential(layers);
    const decaySteps = epochs * Math.ceil(train.at.length / 32);
    const rate = schedules.cosineDecay({ initialLearningRate: learningRate, decaySteps });
    model.compile({
      optimizer: adamw({ learningRate: rate, weightDecay: 0.03, globalClipNorm: 1 }),
      loss: 'meanSquaredError',
    });
    const inputs = ({ x }) => ndarray(x.data, [x.shape[0], ...shape]);
    const best = earlyStopping({ patience: epochs, restoreBestWeights: true });
    const progress = progressText((line, isLast) => isLast && log(`${name}: ${line}`));
    await model.fit(inputs(train), train.y, {
      epochs: quick ? 1 : epochs,
      validationData: [inputs(validation), validation.y],
      callbacks: [best, progress],
    });
    const forecast = scale.inverse(model.predict(inputs(test), { batchSize: 128 }));
    return rmse(forecast.data, scale.inverse(test.y).data);
  }

  const flat = { shape: [days], epochs: 60, learningRate: 0.003 };
  const steps = { shape: [days, 1], epochs: 60, learningRate: 0.003 };
  const linear = await learn('linear', [dense({ units: 1 })], flat);
  const forward = await learn('feed-forward', [dense({ units: 64, activation: 'relu' }), dense({ units: 1 })], flat);
  const recurrent = await learn('LSTM', [lstm({ units: 64 }), dense({ units: 1 })], steps);
  return [
    { metric: 'RMSE of 2017, as yesterday', value: as(1) },
    { metric: 'RMSE of 2017, as a week before', value: as(7) },
    { metric: 'RMSE of 2017, linear autoregression', value: linear },
    { metric: 'RMSE of 2017, feed-forward 64', value: forward },
    { metric: 'RMSE of 2017, LSTM 64', value: recurrent, atMost: 45 },
  ];
}
