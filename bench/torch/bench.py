#!/usr/bin/env python3
"""Times PyTorch on one thread over the benchmark suites, for a comparison with tapeloop.

    python3 bench.py [--suite train|infer|step] [--only SUBSTRING] [--runs N]
    python3 bench.py --serve

Without --serve: warms up each case, times it, and prints a line {"suite", "case", "medianMs", "minMs", "runs"}.
With --serve: reads a line {"suite", "case"} from stdin, runs that case once, and answers {"suite", "case", "ms"}. A
driver can then alternate between two implementations, so that a drift of the machine affects both. A case is built and
warmed up at its first request. The answer to an unknown case is {"error"}.

Cases (T time, B batch, I input, H hidden; every input and initial state is fixed before timing):
    train  "lstm BxTxH", "lstm2 …" for two layers: tokens of 65 -> embedding H/2 -> LSTM -> linear 65, cross-entropy at
           every step, gradient norm clipped at 5, Adam; one run is one whole optimizer step
    infer  "lstm BxTxIxH", "gru …": the layer's forward pass from zero states, no gradient
    step   "lstm IxH": one time step of batch 1, states fed back, no gradient; the mean of 100 steps, because one is too
           short for the clock
Written for PyTorch 1.13.
"""

import argparse
import json
import os
import statistics
import sys
import time

# OpenBLAS may have its own threads, for which torch.set_num_threads has no effect. It reads this variable once, when it
# is loaded.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import torch
from torch import nn

VOCABULARY = 65
STEPS_PER_RUN = 100
WARMUP_RUNS = 3


class Model(nn.Module):
    def __init__(self, units, layers):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, units // 2)
        self.lstm = nn.LSTM(units // 2, units, layers)
        self.dense = nn.Linear(units, VOCABULARY)

    def forward(self, tokens):
        y, _ = self.lstm(self.embedding(tokens))
        return self.dense(y)


def train(layers, batch, time_steps, units):
    model = Model(units, layers)
    parameters = list(model.parameters())
    optimizer = torch.optim.Adam(parameters, lr=2e-3)
    tokens = torch.randint(VOCABULARY, (time_steps, batch))
    targets = torch.randint(VOCABULARY, (time_steps * batch,))

    def run():
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(tokens).flatten(0, 1), targets).backward()
        nn.utils.clip_grad_norm_(parameters, 5.0)
        optimizer.step()

    return run, 1


def infer(module, batch, time_steps, input_size, units):
    layer = module(input_size, units).eval()
    x = torch.randn(time_steps, batch, input_size)

    @torch.no_grad()
    def run():
        layer(x)

    return run, 1


def step(input_size, units):
    layer = nn.LSTM(input_size, units).eval()
    x = torch.randn(1, 1, input_size)

    @torch.no_grad()
    def run():
        states = (torch.zeros(1, 1, units), torch.zeros(1, 1, units))
        for _ in range(STEPS_PER_RUN):
            _, states = layer(x, states)

    return run, STEPS_PER_RUN


TRAIN_CASES = [(1, 32, 50, 128), (1, 32, 100, 256), (1, 64, 100, 512), (2, 32, 100, 256)]
INFER_CASES = [
    (1, 100, 64, 128),
    (1, 100, 128, 256),
    (32, 50, 64, 128),
    (32, 100, 128, 256),
    (64, 100, 256, 512),
]
STEP_CASES = [(64, 128), (128, 256)]


def by_x(numbers):
    return "x".join(map(str, numbers))


# (suite, case) -> a function that builds the case and returns its run and the units of work in one run.
CASES = {}
for layers, *shape in TRAIN_CASES:
    name = "lstm" if layers == 1 else f"lstm{layers}"
    CASES["train", f"{name} {by_x(shape)}"] = lambda layers=layers, shape=shape: train(layers, *shape)
for name, module in (("lstm", nn.LSTM), ("gru", nn.GRU)):
    for shape in INFER_CASES:
        CASES["infer", f"{name} {by_x(shape)}"] = lambda module=module, shape=shape: infer(module, *shape)
for shape in STEP_CASES:
    CASES["step", f"lstm {by_x(shape)}"] = lambda shape=shape: step(*shape)


def prepare(key):
    """Builds and warms up a case. Returns a function that times one run, in milliseconds per unit of work."""
    torch.manual_seed(1)
    run, work = CASES[key]()

    def timed():
        started = time.perf_counter()
        run()
        return 1000 * (time.perf_counter() - started) / work

    for _ in range(WARMUP_RUNS):
        timed()
    return timed


def answer(line):
    print(json.dumps(line), flush=True)


def serve():
    prepared = {}
    for line in sys.stdin:
        try:
            request = json.loads(line)
            key = request["suite"], request["case"]
        except (ValueError, KeyError, TypeError):
            answer({"error": f'expected {{"suite", "case"}}, got {line.strip()}'})
            continue
        if key not in CASES:
            answer({"error": f"no case {key[1]!r} in suite {key[0]!r}"})
            continue
        if key not in prepared:
            prepared[key] = prepare(key)
        answer({"suite": key[0], "case": key[1], "ms": round(prepared[key](), 5)})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--suite", choices=["train", "infer", "step"])
    parser.add_argument("--only", default="", help="part of a case's name")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--serve", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.serve:
        serve()
        return
    for key in CASES:
        suite, case = key
        if (args.suite and suite != args.suite) or args.only not in case:
            continue
        timed = prepare(key)
        times = [timed() for _ in range(args.runs)]
        answer(
            {
                "suite": suite,
                "case": case,
                "medianMs": round(statistics.median(times), 5),
                "minMs": round(min(times), 5),
                "runs": args.runs,
            }
        )


if __name__ == "__main__":
    main()
