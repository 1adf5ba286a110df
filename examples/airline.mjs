// Next month's passengers from an LSTM of four units. Given last month's number it learns to repeat it; given the changes of the last
// twelve months it learns the season and the growth. What a network is shown matters more than its size.
//
// The first 67% of the months train, the rest test; settings were chosen by holding back the last 20 months of the training part.
import { readFileSync } from 'node:fs';
import { adam, dense, lstm, sequential, setSeed } from 'tapeloop';

export const about = 'Airline passengers by month: LSTM of 4 units against naive forecasts.';
export const files = {
  'airline-passengers.csv': 'https://raw.githubusercontent.com/jbrownlee/Datasets/master/airline-passengers.csv',
};

export async function run({ data, seed, log, quick = false }) {
  const lines = readFileSync(`${data}/airline-passengers.csv`, 'utf8').trim().split('\n');
  const passengers = lines.slice(1).map((line) => Number(line.split(',')[1]));
  const cut = Math.floor(0.67 * passengers.length);
  const months = passengers.map((_, month) => month);
  const [low, high] = [Math.min(...passengers.slice(0, cut)), Math.max(...passengers.slice(0, cut))];

  const rmse = (forecast) => {
    const squares = months.slice(cut).map((month) => (forecast(month) - passengers[month]) ** 2);
    return Math.sqrt(squares.reduce((sum, square) => sum + square) / squares.length);
  };

  /** Trains on `encode(month)` of the `window` months before each month; `decode(output, month)` is the forecast in passengers. */
  async function learn(name, { window, first, encode, decode, learningRate, batchSize }) {
    setSeed(seed);
    const model = sequential([lstm({ units: 4, inputShape: [window, 1] }), dense({ units: 1 })]);
    model.compile({ optimizer: adam({ learningRate }), loss: 'meanSquaredError' });
    const x = (month) => months.slice(month - window, month).map((each) => [encode(each)]);
    const train = months.slice(first + window, cut);
    const { history } = await model.fit(
      train.map(x),
      train.map((month) => [encode(month)]),
      { epochs: quick ? 1 : 100, batchSize },
    );
    const error = rmse((month) => decode(model.predict([x(month)]).data[0], month));
    log(
      `${name}: training loss ${history.loss[0].toFixed(4)} → ${history.loss.at(-1).toFixed(4)}, test ${error.toFixed(1)}`,
    );
    return error;
  }

  const value = await learn('last month', {
    ...{ window: 1, first: 0, learningRate: 0.001, batchSize: 1 },
    encode: (month) => (passengers[month] - low) / (high - low),
    decode: (output) => low + output * (high - low),
  });
  const change = await learn('twelve changes', {
    ...{ window: 12, first: 1, learningRate: 0.01, batchSize: 16 },
    encode: (month) => 10 * Math.log(passengers[month] / passengers[month - 1]),
    decode: (output, month) => passengers[month - 1] * Math.exp(output / 10),
  });
  return [
    { metric: 'RMSE, as last month', value: rmse((month) => passengers[month - 1]) },
    { metric: 'RMSE, as a year before', value: rmse((month) => passengers[month - 12]) },
    { metric: 'RMSE, LSTM 4 on last month', value },
    { metric: 'RMSE, LSTM 4 on twelve changes', value: change, atMost: 47.5 },
  ];
}
