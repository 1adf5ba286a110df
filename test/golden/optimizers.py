#!/usr/bin/env python3
"""Golden numbers of optimizers and schedules: what torch.optim computes, as optimizers.json.

    OMP_NUM_THREADS=1 python3 test/golden/optimizers.py

Written for and run with PyTorch 1.13, parameters in float64. Options are stored in tapeloop's words. Torch's rules are
Keras's in these cases alone:

    RMSprop, Adagrad, Adam, AdamW, Adamax   with epsilon 0, which torch adds elsewhere
    Adadelta, SGD with momentum             as they are, while the learning rate does not change
    NAdam                                   never: torch 1.13 multiplies u_t into the product of t + 1 twice
"""

import os

import torch
from torch import nn
from torch.optim import lr_scheduler, swa_utils

from generate import SEED, given, tensor, to_json

SIZE = 11
STEPS = 20
ITERATIONS = 60
EMA_MOMENTUM = 0.9
ACCUMULATED = 4

RATE = 0.01
CASES = [
    ({"name": "sgd", "learningRate": 0.1}, lambda p: torch.optim.SGD(p, 0.1)),
    ({"name": "sgd", "learningRate": 0.1, "momentum": 0.9}, lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)),
    (
        {"name": "sgd", "learningRate": 0.1, "momentum": 0.9, "nesterov": True},
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
    ),
    (
        {"name": "rmsprop", "learningRate": RATE, "rho": 0.9, "epsilon": 0},
        lambda p: torch.optim.RMSprop(p, RATE, alpha=0.9, eps=0),
    ),
    (
        {"name": "rmsprop", "learningRate": RATE, "rho": 0.9, "momentum": 0.5, "centered": True, "epsilon": 0},
        lambda p: torch.optim.RMSprop(p, RATE, alpha=0.9, momentum=0.5, centered=True, eps=0),
    ),
    ({"name": "adam", "learningRate": RATE, "epsilon": 0}, lambda p: torch.optim.Adam(p, RATE, eps=0)),
    (
        {"name": "adam", "learningRate": RATE, "beta2": 0.9, "amsgrad": True, "epsilon": 0},
        lambda p: torch.optim.Adam(p, RATE, betas=(0.9, 0.9), amsgrad=True, eps=0),
    ),
    (
        {"name": "adamw", "learningRate": RATE, "weightDecay": 0.1, "epsilon": 0},
        lambda p: torch.optim.AdamW(p, RATE, weight_decay=0.1, eps=0),
    ),
    (
        {"name": "adamax", "learningRate": RATE, "beta2": 0.99, "epsilon": 0},
        lambda p: torch.optim.Adamax(p, RATE, betas=(0.9, 0.99), eps=0),
    ),
    (
        {"name": "adagrad", "learningRate": 0.1, "initialAccumulatorValue": 0.1, "epsilon": 0},
        lambda p: torch.optim.Adagrad(p, 0.1, initial_accumulator_value=0.1, eps=0),
    ),
    (
        {"name": "adadelta", "learningRate": 1, "rho": 0.9, "epsilon": 1e-4},
        lambda p: torch.optim.Adadelta(p, 1, rho=0.9, eps=1e-4),
    ),
]

SCHEDULES = [
    (
        {"name": "exponentialDecay", "initialLearningRate": 0.1, "decaySteps": 1, "decayRate": 0.9},
        lambda o: lr_scheduler.ExponentialLR(o, 0.9),
    ),
    (
        {
            "name": "exponentialDecay",
            "initialLearningRate": 0.1,
            "decaySteps": 7,
            "decayRate": 0.5,
            "staircase": True,
        },
        lambda o: lr_scheduler.StepLR(o, 7, gamma=0.5),
    ),
    (
        {"name": "piecewiseConstantDecay", "boundaries": [9, 29], "values": [0.1, 0.02, 0.004]},
        lambda o: lr_scheduler.MultiStepLR(o, [10, 30], gamma=0.2),
    ),
    (
        {
            "name": "polynomialDecay",
            "initialLearningRate": 0.1,
            "decaySteps": 40,
            "endLearningRate": 0,
            "power": 1.5,
        },
        lambda o: lr_scheduler.PolynomialLR(o, 40, power=1.5),
    ),
    (
        {"name": "inverseTimeDecay", "initialLearningRate": 0.1, "decaySteps": 10, "decayRate": 0.5},
        lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + 0.5 * t / 10)),
    ),
    (
        {"name": "cosineDecay", "initialLearningRate": 0.1, "decaySteps": 59, "alpha": 0.1},
        lambda o: lr_scheduler.CosineAnnealingLR(o, 59, eta_min=0.01),
    ),
    (
        {"name": "cosineDecayRestarts", "initialLearningRate": 0.1, "firstDecaySteps": 7, "tMul": 2, "alpha": 0.1},
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 7, T_mult=2, eta_min=0.01),
    ),
    (
        {"name": "cosineDecayRestarts", "initialLearningRate": 0.1, "firstDecaySteps": 8, "tMul": 1},
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 8, T_mult=1),
    ),
    (
        {"name": "linearWarmup", "initialLearningRate": 0.02, "warmupSteps": 10, "after": 0.1},
        lambda o: lr_scheduler.LinearLR(o, start_factor=0.2, total_iters=10),
    ),
]


class Holder(nn.Module):
    """Parameters that torch's averaging takes."""

    def __init__(self, values):
        super().__init__()
        self.p = nn.Parameter(values.double().clone())


def trained(make, start, gradients, after_step=lambda holder: None):
    holder = Holder(start)
    optimizer = make(holder.parameters())
    for gradient in gradients:
        holder.p.grad = gradient.double()
        optimizer.step()
        after_step(holder)
    return tensor(holder.p.float())


def averaged(start, gradients):
    average = swa_utils.AveragedModel(Holder(start), avg_fn=lambda a, p, _: EMA_MOMENTUM * a + (1 - EMA_MOMENTUM) * p)
    trained(CASES[1][1], start, gradients, average.update_parameters)
    return tensor(average.module.p.float())


def learning_rates(make):
    optimizer = torch.optim.SGD(Holder(torch.zeros(1)).parameters(), 0.1)
    schedule = make(optimizer)
    values = []
    for _ in range(ITERATIONS):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return values


def main():
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    start, gradients = given(SIZE), given(STEPS, SIZE)
    assert gradients.abs().min() > 0, "epsilon 0 divides by a gradient's own size"
    means = gradients.reshape(STEPS // ACCUMULATED, ACCUMULATED, SIZE).mean(1)
    golden = {
        "generator": "test/golden/optimizers.py",
        "torch": torch.__version__,
        "seed": SEED,
        "start": tensor(start),
        "gradients": tensor(gradients),
        "cases": [{"options": options, "after": trained(make, start, gradients)} for options, make in CASES],
        "ema": {
            "options": {**CASES[1][0], "useEma": True, "emaMomentum": EMA_MOMENTUM},
            "average": averaged(start, gradients),
        },
        "accumulated": {
            "options": {**CASES[5][0], "gradientAccumulationSteps": ACCUMULATED},
            "after": trained(CASES[5][1], start, means),
        },
        "schedules": [{"options": options, "values": learning_rates(make)} for options, make in SCHEDULES],
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "optimizers.json")
    with open(path, "w") as output:
        output.write(to_json(golden) + "\n")
    print(f"seed {SEED}, torch {torch.__version__}")


if __name__ == "__main__":
    main()
