#!/usr/bin/env python3
"""Writes state-space.json: what statsmodels computes for state-space models and a Gaussian hidden Markov model.

- general: a filter and smoother of 3 states and 2 observations with intercepts and missing numbers, and a forecast.
- nile: the local level model of the Nile's flow, its maximum likelihood estimates and its forecasts.
- structural: level, slope and season of quarters, at given variances.
- autoregression: exact likelihood of an AR(3) at given coefficients, and its maximum likelihood estimates.
- hmm: statsmodels has hidden Markov models as regressions whose mean and variance switch. The start of the chain is its
  steady state.

Regenerate with `/usr/bin/python3 test/golden/state_space.py`; made with statsmodels 0.13.5 of Debian and NumPy 1.24.2.
"""

import json
import os
import warnings

import numpy as np
import statsmodels.api as sm
from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression
from statsmodels.tsa.statespace.kalman_smoother import KalmanSmoother
from statsmodels.tsa.statespace.sarimax import SARIMAX
from statsmodels.tsa.statespace.structural import UnobservedComponents

warnings.simplefilter("ignore")
random = np.random.default_rng(15)


def numbers(values):
    values = np.asarray(values, dtype=float)
    return np.where(np.isnan(values), None, values).tolist() if values.ndim else float(values)


def covariance(n):
    factor = random.normal(size=(n, n))
    return factor @ factor.T / n + 0.1 * np.eye(n)


def general():
    n, p, k, steps = 3, 2, 2, 12
    a, c = 0.5 * random.normal(size=(n, n)), random.normal(size=(p, n))
    b, d = random.normal(size=(n, k)), random.normal(size=(p, k))
    q, r, start = covariance(n), covariance(p), covariance(n)
    mean = random.normal(size=n)
    y, u = random.normal(size=(steps, p)), random.normal(size=(steps, k))
    y[3, 0] = y[5, :] = y[8, 1] = np.nan
    model = KalmanSmoother(k_endog=p, k_states=n, k_posdef=n)
    model.bind(y)
    model["design"], model["transition"], model["selection"] = c, a, np.eye(n)
    model["state_cov"], model["obs_cov"] = q, r
    model["state_intercept"], model["obs_intercept"] = b @ u.T, d @ u.T
    model.initialize_known(mean, start)
    found = model.smooth()
    return {
        "model": {
            "transitionMatrix": numbers(a),
            "observationMatrix": numbers(c),
            "controlMatrix": numbers(b),
            "feedthroughMatrix": numbers(d),
            "transitionCovariance": numbers(q),
            "observationCovariance": numbers(r),
            "initialMean": numbers(mean),
            "initialCovariance": numbers(start),
        },
        "y": numbers(y),
        "u": numbers(u),
        "logLikelihoods": numbers(found.llf_obs),
        "filtered": numbers(found.filtered_state.T),
        "filteredCovariances": numbers(np.moveaxis(found.filtered_state_cov, 2, 0)),
        "forecasts": numbers(found.forecasts.T),
        "smoothed": numbers(found.smoothed_state.T),
        "smoothedCovariances": numbers(np.moveaxis(found.smoothed_state_cov, 2, 0)),
    }


def nile():
    y = sm.datasets.nile.load_pandas().data["volume"].to_numpy()
    model = UnobservedComponents(y, "llevel")
    model.ssm.tolerance = 0
    model.initialize_approximate_diffuse(1e6)
    fitted = model.fit(disp=False, maxiter=1000, method="nm", xtol=1e-10, ftol=1e-10)
    forecast = fitted.get_forecast(5)
    observation, state = fitted.params
    return {
        "y": numbers(y),
        "observationVariance": float(observation),
        "levelVariance": float(state),
        "logLikelihood": float(fitted.llf),
        "forecast": numbers(forecast.predicted_mean),
        "forecastVariance": numbers(forecast.se_mean**2),
    }


def structural():
    steps, period = 40, 4
    t = np.arange(steps)
    y = 0.1 * t + np.sin(t * np.pi / 2) + random.normal(size=steps) * 0.3
    y[[7, 20]] = np.nan
    model = UnobservedComponents(y, "lltrend", seasonal=period)
    model.ssm.tolerance = 0
    model.initialize_approximate_diffuse(1e6)
    model.loglikelihood_burn = period + 1
    params = [0.09, 0.02, 0.001, 0.01]
    found = model.smooth(params)
    forecast = found.get_forecast(6)
    return {
        "y": numbers(y),
        "names": model.param_names,
        "params": params,
        "logLikelihood": float(found.llf),
        "level": numbers(found.smoothed_state[0]),
        "slope": numbers(found.smoothed_state[1]),
        "season": numbers(found.smoothed_state[2]),
        "forecast": numbers(forecast.predicted_mean),
        "forecastVariance": numbers(forecast.se_mean**2),
    }


def autoregression():
    steps = 120
    y = np.zeros(steps)
    for t in range(3, steps):
        y[t] = 0.5 * y[t - 1] - 0.3 * y[t - 2] + 0.2 * y[t - 3] + random.normal()
    model = SARIMAX(y, order=(3, 0, 0))
    model.ssm.tolerance = 0
    params = [0.4, -0.2, 0.1, 1.3]
    fitted = model.fit(disp=False, maxiter=1000, pgtol=1e-10, factr=10)
    return {
        "y": numbers(y),
        "params": params,
        "logLikelihood": float(model.loglike(params)),
        "fitted": numbers(fitted.params),
        "fittedLogLikelihood": float(fitted.llf),
    }


def hmm():
    matrix = np.array([[0.9, 0.1], [0.25, 0.75]])
    means, variances = np.array([-0.5, 2.0]), np.array([0.6, 1.5])
    start = np.array([0.25, 0.1]) / 0.35
    state, states = 0, []
    for _ in range(80):
        states.append(state)
        state = random.choice(2, p=matrix[state])
    y = means[states] + np.sqrt(variances[states]) * random.normal(size=80)
    model = MarkovRegression(y, k_regimes=2, trend="c", switching_variance=True)
    # p[0->0], p[1->0], const[0], const[1], sigma2[0], sigma2[1]
    params = np.r_[0.9, 0.25, means, variances]
    found = model.smooth(params)
    fitted = model.fit(disp=False, em_iter=50, maxiter=2000, gtol=1e-9)
    return {
        "y": numbers(y),
        "initialProbabilities": numbers(start),
        "transitionMatrix": numbers(matrix),
        "means": numbers(means),
        "variances": numbers(variances),
        "logLikelihood": float(found.llf),
        "posteriors": numbers(found.smoothed_marginal_probabilities),
        "fitted": numbers(fitted.params),
        "fittedLogLikelihood": float(fitted.llf),
    }


golden = {make.__name__: make() for make in (general, nile, structural, autoregression, hmm)}
with open(os.path.join(os.path.dirname(__file__), "state-space.json"), "w") as file:
    json.dump(golden, file, indent=0)
    file.write("\n")
