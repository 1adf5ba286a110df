#!/usr/bin/env python3
"""Golden numbers: a linear-chain CRF written out in PyTorch, in crf.json.

    OMP_NUM_THREADS=1 python3 test/golden/crf.py

Written for and run with PyTorch 1.13 (Debian's python3-torch). Scores are float32; the forward algorithm is a loop of
logsumexp over the steps in float64, as in PyTorch's tutorial on BiLSTM-CRF and in pytorch-crf, and masked steps keep the
sums of the step before. Stored are the log-likelihood of each sequence, and the gradients of the sum of
log-likelihoods·weights by autograd. The best path is that of the largest of the same sums with max for logsumexp.
"""

import os

import torch
from generate import integers, tensor, to_json

SEED = 50
# (B, T, K, lengths, scale of the scores)
CASES = [
    (3, 5, 3, [5, 5, 5], 1),
    (5, 9, 7, [9, 8, 4, 1, 9], 2),
    (2, 40, 12, [40, 23], 4),
    (1, 300, 5, [300], 3),
]


def forward(emissions, transitions, start, end, mask, reduce):
    """log Z of each sequence, or the best score if `reduce` is a maximum."""
    sums = start + emissions[:, 0]
    for t in range(1, emissions.shape[1]):
        following = reduce(sums.unsqueeze(2) + transitions, 1) + emissions[:, t]
        sums = torch.where(mask[:, t].unsqueeze(1), following, sums)
    return reduce(sums + end, 1)


def path_score(emissions, transitions, start, end, mask, tags):
    rows = torch.arange(len(tags))
    score = start[tags[:, 0]] + emissions[rows, 0, tags[:, 0]]
    last = tags[:, 0]
    for t in range(1, emissions.shape[1]):
        step = transitions[tags[:, t - 1], tags[:, t]] + emissions[rows, t, tags[:, t]]
        score = score + torch.where(mask[:, t], step, torch.zeros_like(step))
        last = torch.where(mask[:, t], tags[:, t], last)
    return score + end[last]


def case(batch, steps, tags, lengths, scale):
    shapes = [(batch, steps, tags), (tags, tags), (tags,), (tags,)]
    floats = [(scale * torch.randn(*shape)).requires_grad_() for shape in shapes]
    mask = torch.arange(steps) < torch.tensor(lengths).unsqueeze(1)
    path = torch.randint(0, tags, (batch, steps))
    weights = torch.rand(batch) + 0.5
    scores = [each.double() for each in floats]
    log_norm = forward(*scores, mask, lambda x, axis: torch.logsumexp(x, axis))
    likelihood = path_score(*scores, mask, path) - log_norm
    (likelihood * weights).sum().backward()
    best = forward(*(each.detach() for each in scores), mask, lambda x, axis: x.max(axis).values)
    # The gradient of the best score with regard to the emissions is 1 at the best path.
    emissions = scores[0].detach().requires_grad_()
    forward(emissions, *(each.detach() for each in scores[1:]), mask, lambda x, axis: x.max(axis).values).sum().backward()
    names = ["emissions", "transitions", "start", "end"]
    return {
        "lengths": lengths,
        "tags": integers(path),
        "weights": tensor(weights),
        **{name: tensor(each) for name, each in zip(names, floats)},
        "logLikelihood": tensor(likelihood.float()),
        "best": tensor(best.float()),
        "bestTags": integers(torch.where(mask, emissions.grad.argmax(2), torch.tensor(-1))),
        "gradients": {name: tensor(each.grad) for name, each in zip(names, floats)},
    }


def main():
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    golden = {
        "generator": "test/golden/crf.py",
        "torch": torch.__version__,
        "seed": SEED,
        "cases": [case(*each) for each in CASES],
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "crf.json")
    with open(path, "w") as output:
        output.write(to_json(golden) + "\n")
    print(f"seed {SEED}, torch {torch.__version__}, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
