// Models with memory that are no networks. A hidden Markov model and a Kalman filter learn processes whose parameters
// are known. Then both forecast the next day of Germany's electricity with its variance, beside an LSTM that gives a
// mean and a deviation. All learn from the years before 2016. Settings were chosen on 2016. The test is 2017.
import {
  adamw,
  dense,
  earlyStopping,
  lstm,
  ndarray,
  ops,
  progressText,
  schedules,
  sequential,
  setSeed,
} from 'tapeloop';
import { loadCsv, standardize, windows } from 'tapeloop/data';
import { basicStructural, gaussianHmm, linearGaussian, localLinearTrend } from 'tapeloop/state-space';

export const about = 'Weather of a hidden chain: an HMM, a Kalman filter and an LSTM.';
export const files = {
  'opsd_germany_daily.csv': 'https://raw.githubusercontent.com/jenfly/opsd/master/opsd_germany_daily.csv',
};

const sum = (values) => values.reduce((all, value) => all + value, 0);
const mean = (values) => sum(values) / values.length;

/**
 * The square of an error in units of what the likelihood knows of the parameters: its expectation is their number. The
 * second differences of the log-likelihood at the estimates are the information.
 */
function inStandardErrors(error, score, found) {
  const steps = found.map((value) => 0.01 * Math.max(Math.abs(value), 0.05));
  const moved = (i, j, a, b) => found.map((v, k) => v + steps[k] * ((k === i ? a : 0) + (k === j ? b : 0)));
  let square = 0;
  for (let i = 0; i < found.length; i++) {
    for (let j = 0; j <= i; j++) {
      const corner = (a, b) => score(moved(i, j, a, b));
      const four = corner(1, 1) - corner(1, -1) - corner(-1, 1) + corner(-1, -1);
      square -= ((i === j ? 1 : 2) * error[i] * error[j] * four) / (4 * steps[i] * steps[j]);
    }
  }
  return Math.max(square, 0);
}

/** Three kinds of weather, temperature and pressure of a day, in four series of unequal length. */
function chain({ seed, quick }) {
  const truth = {
    transitionMatrix: [
      [0.8, 0.15, 0.05],
      [0.2, 0.7, 0.1],
      [0.1, 0.3, 0.6],
    ],
    means: [
      [2, 1],
      [0, 0],
      [-1, -2],
    ],
    covariances: [
      [0.5, 0.3],
      [0.4, 0.2],
      [0.6, 0.5],
    ],
  };
  const weather = gaussianHmm({ states: 3, initialProbabilities: [0.5, 0.3, 0.2], ...truth });
  const lengths = quick ? [400, 600] : [1000, 1500, 2000, 2500];
  const series = lengths.map((steps, i) => weather.sample({ steps, seed: seed + i }));
  const observations = series.map((each) => each.observations);
  const model = gaussianHmm({ states: 3 });
  model.fit(observations, { seed, restarts: 3, maxIterations: quick ? 30 : 200, tolerance: 1e-6 });

  // The learned states have any order: each is the true one whose mean is nearest.
  const learned = Object.fromEntries(Object.entries(model.parameters).map(([name, array]) => [name, array.toNested()]));
  const far = (a, b) => Math.hypot(...a.map((value, i) => value - b[i]));
  const order = truth.means.map((at) => {
    const distances = learned.means.map((found) => far(at, found));
    return distances.indexOf(Math.min(...distances));
  });
  // Means, variances and two of three transitions of each state, in the order of the truth.
  const listed = ({ means, covariances, transitionMatrix }, at) =>
    at.flatMap((k) => [...means[k], ...covariances[k], ...at.slice(0, 2).map((j) => transitionMatrix[k][j])]);
  const found = listed(learned, order);
  const score = (values) => {
    const row = (k) => values.slice(6 * k, 6 * k + 6);
    const states = [0, 1, 2].map(row);
    const each = {
      means: states.map((x) => x.slice(0, 2)),
      covariances: states.map((x) => x.slice(2, 4)),
      transitionMatrix: states.map(([, , , , p, q]) => [p, q, 1 - p - q]),
    };
    const initialProbabilities = order.map((k) => learned.initialProbabilities[k]);
    return gaussianHmm({ states: 3, initialProbabilities, ...each }).score(observations);
  };
  const error = found.map((value, i) => value - listed(truth, [0, 1, 2])[i]);
  const square = inStandardErrors(error, score, found);
  const rightDays = (decoded, map) =>
    mean(decoded.flatMap(({ states }, i) => Array.from(states, (s, t) => (map[s] === series[i].states[t] ? 1 : 0))));
  const inverse = order.map((_, s) => order.indexOf(s));
  return [
    {
      metric: 'HMM: error of 18 parameters, root of the mean square, in standard errors',
      value: Math.sqrt(square / 18),
      atMost: 1.6,
    },
    {
      metric: 'HMM: days of the right weather, true parameters',
      value: rightDays(weather.decode(observations), [0, 1, 2]),
    },
    {
      metric: 'HMM: days of the right weather, learned',
      value: rightDays(model.decode(observations), inverse),
      atLeast: 0.9,
    },
  ];
}

/** A level with a slope, seen through noise. */
function trend({ seed, quick }) {
  const variances = { levelVariance: 0.3, slopeVariance: 0.01, observationVariance: 1 };
  const names = Object.keys(variances);
  const truth = Object.values(variances);
  const steps = quick ? 80 : 1500;
  // The sample starts at a level and a slope of 0.
  const options = localLinearTrend(variances).toJSON().options;
  const { observations, states } = linearGaussian({
    ...options,
    initialCovariance: [
      [0, 0],
      [0, 0],
    ],
  }).sample({ steps, seed });
  const model = localLinearTrend();
  model.fitGradient(observations, { maxIterations: quick ? 3 : 200 });
  const { transitionCovariance, observationCovariance } = model.parameters;
  const found = [transitionCovariance.data[0], transitionCovariance.data[3], observationCovariance.data[0]];
  const score = (values) =>
    localLinearTrend(Object.fromEntries(names.map((name, i) => [name, Math.max(values[i], 0)]))).score(observations);
  const error = found.map((value, i) => value - truth[i]);
  const square = inStandardErrors(error, score, found);
  const { means, covariances } = model.smooth(observations);
  const inside = Array.from({ length: steps }, (_, t) => {
    const miss = Math.abs(states.data[2 * t] - means.data[2 * t]);
    return miss < 1.96 * Math.sqrt(covariances.data[4 * t]) ? 1 : 0;
  });
  return [
    {
      metric: 'Kalman: error of 3 variances, root of the mean square, in standard errors',
      value: Math.sqrt(square / 3),
      atMost: 1.6,
    },
    {
      metric: 'Kalman: true levels within the intervals of 95% of the smoother',
      value: mean(inside),
      near: [0.95, 0.025],
    },
  ];
}

/** ln N(y; m, e²ˢ), from `[m, s]`. */
const gaussian = (y, prediction) => {
  const [center, logDeviation] = ops.split(prediction, 2);
  const z = ops.mul(ops.sub(y, center), ops.exp(ops.neg(logDeviation)));
  const each = ops.add(ops.add(ops.scale(ops.square(z), 0.5), logDeviation), 0.5 * Math.log(2 * Math.PI));
  return ops.mean(each, { axis: -1 });
};

export async function run({ data, seed, log, quick = false }) {
  const known = [...chain({ seed, quick }), ...trend({ seed, quick })];

  const table = await loadCsv(`${data}/opsd_germany_daily.csv`, { columns: ['Date', 'Consumption'] });
  const consumption = table.numbers('Consumption');
  const day = (date) => Math.max(table.strings('Date').indexOf(date), 0);
  const [from2013, from2016, from2017] = [day('2013-01-01'), day('2016-01-01'), day('2017-01-01')];
  const scaled = standardize(consumption.subarray(0, from2016)).transform(consumption).data;
  const years = { validation: [from2016, from2017], test: [from2017, scaled.length] };
  const forecasts = (steps, from) => ({
    validation: mean(Array.from(steps.slice(years.validation[0] - from, years.validation[1] - from))),
    test: mean(Array.from(steps.slice(years.test[0] - from))),
  });
  /** The one that forecasts 2016 best. */
  const best = (name, found) => {
    for (const { setting, validation } of found) log(`${name}, ${setting}: 2016 ${validation.toFixed(4)}`);
    return found.reduce((a, b) => (b.validation > a.validation ? b : a));
  };

  const week = scaled.map((value, t) => value - scaled[Math.max(t - 7, 0)]);
  const variance = mean(Array.from(week.subarray(7, from2016), (value) => value * value));
  const naive = forecasts(
    week.map((value) => -(Math.log(2 * Math.PI * variance) + (value * value) / variance) / 2),
    0,
  );

  const rows = Array.from(scaled, (value) => [value]);
  const chains = (quick ? [2] : [7, 14, 21]).map((states) => {
    const model = gaussianHmm({ states });
    model.fit(rows.slice(0, from2016), { seed, restarts: quick ? 1 : 2, maxIterations: quick ? 3 : 100 });
    return { setting: `${states} states`, ...forecasts(model.stepLogLikelihoods(rows), 0) };
  });
  const hmm = best('HMM', chains);

  const recent = rows.slice(from2013);
  const settings = quick
    ? [[0, 'level']]
    : [0, 1, 2].flatMap((order) => [
        [order, 'level'],
        [order, 'linear'],
      ]);
  const structures = settings.map(([autoregressive, trend]) => {
    const small = { levelVariance: 0.05, slopeVariance: 1e-4, seasonalVariance: 0.01, observationVariance: 0.05 };
    const model = basicStructural({ period: 7, trend, autoregressive, autoregressiveVariance: 0.05, ...small });
    model.fitGradient(recent.slice(0, from2016 - from2013), { maxIterations: quick ? 2 : 40, tolerance: 0.01 });
    const setting = `${trend}, season of 7, autoregression of ${autoregressive}`;
    return { setting, ...forecasts(model.stepLogLikelihoods(recent), from2013) };
  });
  const kalman = best('Kalman', structures);

  setSeed(seed);
  const days = 33;
  const part = (from, to) => windows(scaled.subarray(from, to), { inputSteps: days });
  const [train, validation] = [part(0, from2016), part(from2016 - days, from2017)];
  const test = part(from2017 - days);
  const epochs = quick ? 1 : 40;
  const model = sequential([lstm({ units: 64 }), dense({ units: 2 })]);
  const decaySteps = epochs * Math.ceil(train.at.length / 32);
  const learningRate = schedules.cosineDecay({ initialLearningRate: 0.003, decaySteps });
  model.compile({ optimizer: adamw({ learningRate, weightDecay: 0.03, globalClipNorm: 1 }), loss: gaussian });
  const inputs = ({ x }) => ndarray(x.data, [x.shape[0], days, 1]);
  await model.fit(inputs(train), train.y, {
    epochs,
    validationData: [inputs(validation), validation.y],
    callbacks: [
      earlyStopping({ patience: epochs, restoreBestWeights: true }),
      progressText((line, isLast) => isLast && log(`LSTM: ${line}`)),
    ],
  });
  const network = -(await model.evaluate(inputs(test), test.y)).loss;

  const floor = Number(naive.test.toFixed(3));
  return [
    ...known,
    { metric: 'log-likelihood of a day of 2017, as a week before', value: naive.test },
    { metric: 'log-likelihood of a day of 2017, HMM', value: hmm.test },
    { metric: 'log-likelihood of a day of 2017, Kalman filter', value: kalman.test, atLeast: floor },
    { metric: 'log-likelihood of a day of 2017, LSTM 64', value: network, atLeast: floor },
  ];
}
