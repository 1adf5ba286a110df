// An LSTM of four units forecasts next month's passengers. From last month's number it learns to repeat that number.
// From the changes of the last twelve months it learns the season and the growth. The input matters more than the size
// of the network.
//
// The first 67% of the months train, the rest test. Settings were chosen by holding back the last 20 months of the
// training part.
import { adam, dense, lstm, sequential, setSeed } from 'tapeloop';
import { loadCsv, minMaxScale, splitAt, windows } from 'tapeloop/data';

export const about = 'Airline passengers by month: an LSTM of 4 units beside naive forecasts.';
export const files = {
  'airline-passengers.csv': 'https://raw.githubusercontent.com/jbrownlee/Datasets/master/airline-passengers.csv',
};

export async function run({ data, seed, log, quick = false }) {
  const table = await loadCsv(`${data}/airline-passengers.csv`);
  const passengers = table.numbers('Passengers');
  const cut = Math.floor(0.67 * passengers.length);
  const [past, future] = splitAt(passengers, cut);

  const rmse = (forecast) =>
    Math.sqrt(forecast.reduce((sum, value, i) => sum + (value - future[i]) ** 2, 0) / future.length);
  const as = (lag) => rmse(passengers.slice(cut - lag, -lag));

  /** RMSE on the test months. `decode(output, month)` turns the output for a month into passengers. */
  async function learn(name, { series, inputSteps, learningRate, batchSize, decode }) {
    setSeed(seed);
    const model = sequential([lstm({ units: 4, inputShape: [inputSteps, 1] }), dense({ units: 1 })]);
    model.compile({ optimizer: adam({ learningRate }), loss: 'meanSquaredError' });
    const { x, y, at } = windows(series, { inputSteps, missing: 'skip' });
    const first = at.indexOf(cut);
    const [[trainX, testX], [trainY]] = [splitAt(x, first), splitAt(y, first)];
    const { history } = await model.fit(trainX, trainY, { epochs: quick ? 1 : 100, batchSize });
    const error = rmse(model.predict(testX).data.map((output, i) => decode(output, cut + i)));
    log(`${name}: training loss ${history.loss[0].toFixed(4)} → ${history.loss.at(-1).toFixed(4)}`);
    return error;
  }

  const scale = minMaxScale(past);
  const value = await learn('last month', {
    series: scale.transform(passengers),
    decode: (output) => scale.inverse([output]).data[0],
    ...{ inputSteps: 1, learningRate: 0.001, batchSize: 1 },
  });
  const change = await learn('twelve changes', {
    // The first month has no change: NaN.
    series: passengers.map((value, month) => 10 * Math.log(value / passengers[month - 1])),
    decode: (output, month) => passengers[month - 1] * Math.exp(output / 10),
    ...{ inputSteps: 12, learningRate: 0.01, batchSize: 16 },
  });
  return [
    { metric: 'test RMSE, as last month', value: as(1) },
    { metric: 'test RMSE, as a year before', value: as(12) },
    { metric: 'test RMSE, LSTM 4 on last month', value },
    { metric: 'test RMSE, LSTM 4 on twelve changes', value: change, atMost: 47.5 },
  ];
}
