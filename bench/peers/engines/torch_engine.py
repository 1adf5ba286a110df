#!/usr/bin/env python3
"""PyTorch as one of the engines: answers the requests of the driver (see protocol.ts), a line of JSON each.

    python3 torch_engine.py THREADS

Models, weights and inputs are those of ../../shapes.ts, numbers.ts and cases.ts. Written for PyTorch 1.13.
"""

import json
import os
import sys
import time

THREADS = int(sys.argv[1])
# OpenBLAS may have its own threads. It reads this variable once, when it is loaded.
os.environ["OPENBLAS_NUM_THREADS"] = sys.argv[1]
os.environ["OMP_NUM_THREADS"] = sys.argv[1]
# With active waiting the threads of torch and of OpenBLAS slow each other down.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import numpy  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

LEARNING_RATE, BETAS, EPSILON = 2e-3, (0.9, 0.999), 1e-10
CHECKED_STEPS = 10
INPUT_SEED, TARGET_SEED, LENGTH_SEED = 100, 101, 102

# The same values as in child.ts.
WARM_UP_S = 0.5
WARM_UP_RUNS = 2
SAMPLE_S = 0.020
REFRESH_S = 0.005
RUNS_FOR_MEMORY = 5


def hashes(seed, count):
    """The hash of numbers.ts for (seed, 0 … count-1)."""
    h = numpy.arange(count, dtype=numpy.uint32) + numpy.uint32(seed * 0x9E3779B9 & 0xFFFFFFFF)
    h = (h ^ (h >> numpy.uint32(16))) * numpy.uint32(0x85EBCA6B)
    h = (h ^ (h >> numpy.uint32(13))) * numpy.uint32(0xC2B2AE35)
    return (h ^ (h >> numpy.uint32(16))) >> numpy.uint32(8)


def uniform(seed, shape, scale):
    values = (hashes(seed, int(numpy.prod(shape))) / 2.0**23 - 1) * scale
    return torch.from_numpy(values.astype(numpy.float32).reshape(shape))


def integers(seed, shape, limit):
    return torch.from_numpy((hashes(seed, int(numpy.prod(shape))) % limit).astype(numpy.int64).reshape(shape))


def weights_of(case):
    """An iterator over all weights in Keras's layout."""
    return (uniform(w["seed"], w["shape"], w["scale"]) for w in case["weights"])


def set_recurrent(module, weights):
    """Converts Keras's [I, G·H] to PyTorch's [G·H, I]. Gates: i f c o in both for LSTM; z r h to r z n for GRU."""

    def reorder(weight):
        if not isinstance(module, nn.GRU):
            return weight
        z, r, n = weight.split(module.hidden_size, -1)
        return torch.cat([r, z, n], -1)

    for direction in ["", "_reverse"] if module.bidirectional else [""]:
        kernel, recurrent_kernel, bias = (reorder(next(weights)) for _ in range(3))
        with torch.no_grad():
            getattr(module, f"weight_ih_l0{direction}").copy_(kernel.T)
            getattr(module, f"weight_hh_l0{direction}").copy_(recurrent_kernel.T)
            getattr(module, f"bias_ih_l0{direction}").copy_(bias[0] if bias.dim() == 2 else bias)
            getattr(module, f"bias_hh_l0{direction}").copy_(bias[1] if bias.dim() == 2 else torch.zeros_like(bias))


class ReluLSTM(nn.LSTM):
    """The equations of an LSTM with relu, which nn.LSTM does not have."""

    def forward(self, x):
        h = c = x.new_zeros(x.shape[1], self.hidden_size)
        outputs = []
        for input_side in functional.linear(x, self.weight_ih_l0, self.bias_ih_l0 + self.bias_hh_l0):
            i, f, g, o = torch.addmm(input_side, h, self.weight_hh_l0.T).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.relu()
            h = o.sigmoid() * c.relu()
            outputs.append(h)
        return torch.stack(outputs), (h[None], c[None])


RECURRENT = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class Network(nn.Module):
    """The layers of a ModelShape. Inputs and outputs are time-major."""

    def __init__(self, shape, weights):
        super().__init__()
        self.shapes = shape["layers"]
        self.layers = nn.ModuleList()
        width = shape.get("features")
        for layer in self.shapes:
            module, width = self.make(layer, width)
            self.layers.append(module)
            with torch.no_grad():
                if isinstance(module, nn.RNNBase):
                    set_recurrent(module, weights)
                elif isinstance(module, nn.Embedding):
                    module.weight.copy_(next(weights))
                else:
                    # [inputs, outputs] or [K, inputs, outputs] to outputs first, K last.
                    module.weight.copy_(next(weights).movedim(-1, 0).movedim(1, -1))
                    module.bias.copy_(next(weights))

    @staticmethod
    def make(layer, width):
        """A module, and the width of its output."""
        if layer["kind"] == "embedding":
            return nn.Embedding(layer["words"], layer["width"]), layer["width"]
        if layer["kind"] == "conv1d":
            return nn.Conv1d(width, layer["filters"], layer["kernelSize"], padding="same"), layer["filters"]
        if layer["kind"] == "dense":
            return nn.Linear(width, layer["units"]), layer["units"]
        make = ReluLSTM if layer.get("activation") == "relu" else RECURRENT[layer["kind"]]
        directions = 2 if layer.get("bidirectional") else 1
        return make(width, layer["units"], bidirectional=directions == 2), directions * layer["units"]

    def forward(self, x, lengths=None):
        for layer, module in zip(self.shapes, self.layers):
            if layer["kind"] == "conv1d":
                x = module(x.permute(1, 2, 0)).relu().permute(2, 0, 1)
            elif layer["kind"] in RECURRENT:
                if lengths is not None:
                    x = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
                x, states = module(x)
                if layer.get("last"):
                    x = (states[0] if layer["kind"] == "lstm" else states)[-1]
            else:
                x = module(x)
        return x


class Train:
    def __init__(self, case):
        model = case["model"]
        self.network = Network(model, weights_of(case))
        self.parameters = list(self.network.parameters())
        self.optimizer = torch.optim.Adam(self.parameters, lr=LEARNING_RATE, betas=BETAS, eps=EPSILON)
        self.clip_norm = model.get("clipNorm")
        batch, steps = model["batch"], model["time"]
        first, last = model["layers"][0], model["layers"][-1]
        self.lengths = None
        if "features" in model:
            x = uniform(INPUT_SEED, [batch, steps, model["features"]], 1)
            if model.get("masked"):
                self.lengths = integers(LENGTH_SEED, [batch], steps // 2) + steps // 2
                x[torch.arange(steps) >= self.lengths[:, None]] = 0
        else:
            x = integers(INPUT_SEED, [batch, steps], first["words"])
        self.x = x.transpose(0, 1).contiguous()
        rows = [batch] if any(layer.get("last") for layer in model["layers"]) else [batch, steps]
        if model["loss"] == "classes":
            self.targets = integers(TARGET_SEED, rows, last["units"]).T.flatten()
            self.loss = lambda y: functional.cross_entropy(y.flatten(0, -2), self.targets)
        elif model["loss"] == "binary":
            self.targets = integers(TARGET_SEED, [batch, 1], 2).float()
            self.loss = lambda y: functional.binary_cross_entropy_with_logits(y, self.targets)
        else:
            self.targets = uniform(TARGET_SEED, [batch, 1], 1)
            self.loss = lambda y: functional.mse_loss(y, self.targets)

    def step(self, clip_norm):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.network(self.x, self.lengths))
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters, clip_norm).item() if clip_norm else None
        self.optimizer.step()
        return loss.item(), norm

    def run(self):
        return self.step(self.clip_norm)

    def check(self):
        # Keras's LSTM and simple RNN have one bias, so the second one stays at zero while numbers are compared.
        modules = [m for m in self.network.layers if isinstance(m, nn.RNNBase) and not isinstance(m, nn.GRU)]
        second = [p for m in modules for name, p in m.named_parameters() if name.startswith("bias_hh")]
        for bias in second:
            bias.requires_grad_(False)
        loss, norm = self.step(self.clip_norm or float("inf"))
        after, _ = self.run()
        for bias in second:
            bias.requires_grad_(True)
        return torch.tensor([loss, norm, after])


class Infer:
    def __init__(self, case):
        self.layer = RECURRENT[case["cell"]](case["inputs"], case["hidden"]).eval()
        set_recurrent(self.layer, weights_of(case))
        shape = [case["batch"], case["time"], case["inputs"]]
        self.x = uniform(INPUT_SEED, shape, 1).transpose(0, 1).contiguous()

    @torch.no_grad()
    def run(self):
        return self.layer(self.x)[0]

    def check(self):
        return self.run().transpose(0, 1)


class Step(Infer):
    def __init__(self, case):
        super().__init__(case)
        self.states = (torch.zeros(1, 1, case["hidden"]), torch.zeros(1, 1, case["hidden"]))

    @torch.no_grad()
    def run(self):
        _, self.states = self.layer(self.x, self.states)

    def check(self):
        for _ in range(CHECKED_STEPS):
            self.run()
        return self.states[0]


class Images:
    def __init__(self, case):
        shape = case["image"]
        if shape["kind"] != "conv2d":
            raise ValueError("torch has no convolutional LSTM")
        self.trains = shape["trains"]
        kernel, self.bias, dy = weights_of(case)
        # Channels first, and [O, I, KH, KW].
        self.x = uniform(INPUT_SEED, shape["input"], 1).permute(0, 3, 1, 2).contiguous()
        self.kernel = kernel.permute(3, 2, 0, 1).contiguous()
        self.dy = dy.permute(0, 3, 1, 2).contiguous()
        self.operands = [self.x, self.kernel, self.bias]
        for operand in self.operands:
            operand.requires_grad_(self.trains)

    def run(self):
        with torch.set_grad_enabled(self.trains):
            y = functional.conv2d(self.x, self.kernel, self.bias, padding="same")
        return [y, *torch.autograd.grad(y, self.operands, self.dy)] if self.trains else [y]

    def check(self):
        y, *gradients = (each.detach() for each in self.run())
        order = ([0, 2, 3, 1], [2, 3, 1, 0], [0])
        return torch.cat([y.permute(order[0]).flatten(), *(g.permute(o).flatten() for g, o in zip(gradients, order))])


class Crf:
    """The forward algorithm as a loop over the steps, as in pytorch-crf."""

    def __init__(self, case):
        self.operands = [each.requires_grad_() for each in weights_of(case)]
        self.tags = integers(TARGET_SEED, [case["batch"], case["time"]], case["hidden"])

    def run(self):
        emissions, transitions, start, end = self.operands
        tags = self.tags
        sums = start + emissions[:, 0]
        for t in range(1, tags.shape[1]):
            sums = torch.logsumexp(sums.unsqueeze(2) + transitions, 1) + emissions[:, t]
        own = emissions.gather(2, tags.unsqueeze(2)).sum((1, 2)) + transitions[tags[:, :-1], tags[:, 1:]].sum(1)
        each = start[tags[:, 0]] + own + end[tags[:, -1]] - torch.logsumexp(sums + end, 1)
        return [each, *torch.autograd.grad(each.sum(), self.operands)]

    def check(self):
        return torch.cat([each.detach().flatten() for each in self.run()])


class Gemm:
    def __init__(self, case):
        shape = [case["size"], case["size"]]
        a, b = (uniform(seed, shape, 1) for seed in (INPUT_SEED, TARGET_SEED))
        self.a = a.T if case["layout"][0] == "T" else a
        self.b = b.T if case["layout"][1] == "T" else b
        self.c = torch.empty(shape)

    def run(self):
        return torch.mm(self.a, self.b, out=self.c)

    def check(self):
        return self.run()


KINDS = {"train": Train, "chars": Train, "infer": Infer, "images": Images, "crf": Crf, "step": Step, "gemm": Gemm}


def seconds(task, count):
    started = time.perf_counter()
    for _ in range(count):
        task.run()
    return time.perf_counter() - started


def warm_up(task):
    """Runs the task until it is warm. Returns the number of runs in one sample."""
    elapsed, last, runs = 0, 0, 0
    while runs < WARM_UP_RUNS or elapsed < WARM_UP_S:
        last = seconds(task, 1)
        elapsed += last
        runs += 1
    return 1 if last > SAMPLE_S else int(numpy.ceil(SAMPLE_S / (seconds(task, 20) / 20)))


def resident(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(field))


class Server:
    def __init__(self):
        self.task, self.repeats = None, 1

    def prepare(self, request):
        self.task = KINDS[request["case"]["kind"]](request["case"])
        self.task.check().contiguous().numpy().tofile(request["checked"])
        if request["warm"]:
            self.repeats = warm_up(self.task)
        return {}

    def sample(self, request):
        if self.repeats > 1:
            seconds(self.task, int(numpy.ceil(self.repeats * REFRESH_S / SAMPLE_S)))
        cpu = time.process_time()
        elapsed = seconds(self.task, self.repeats)
        return {"ms": 1000 * elapsed / self.repeats, "busy": (time.process_time() - cpu) / elapsed}

    def memory(self, request):
        with open("/proc/self/clear_refs", "w") as clear:
            clear.write("5")
        base = resident("VmRSS")
        self.task = KINDS[request["case"]["kind"]](request["case"])
        seconds(self.task, RUNS_FOR_MEMORY)
        return {"megabytes": resident("VmHWM") - base, "baseMegabytes": base}


def say(line):
    print(json.dumps(line), flush=True)


def main():
    torch.set_num_threads(THREADS)
    # Off by default. On some hosts reviews take 2.5 times as long without it.
    torch.set_flush_denormal(True)
    server = Server()
    say({"version": torch.__version__})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            say(getattr(server, request["op"])(request))
        except Exception as error:  # The driver prints the error and continues.
            say({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
