"""Makes golden.json: files that PyTorch wrote, and what PyTorch computes with them.

Made with Python 3, torch 1.13.0 and numpy: python3 test/torch/golden.py
"""
import base64
import collections
import io
import json
import os
import pickle
import types
from pathlib import Path

import numpy as np
import torch
import torch.nn.utils.prune
from torch import nn

torch.manual_seed(1)


def values(tensor):
    return {"shape": list(tensor.shape), "data": tensor.detach().double().flatten().tolist()}


def saved(value, **options):
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return base64.b64encode(buffer.getvalue()).decode()


def pickled(value, protocol=2):
    return base64.b64encode(pickle.dumps(value, protocol)).decode()


# Tensors of all types and views, in both formats.
base = torch.arange(24, dtype=torch.float32) / 8
tensors = collections.OrderedDict(
    plain=base.reshape(4, 6),
    transposed=base.reshape(4, 6).t(),
    part=base.reshape(4, 6)[1:3, 2:5],
    steps=base[1::3],
    same=base.reshape(4, 6),
    scalar=torch.tensor(2.5),
    empty=torch.zeros(0, 3),
    half=torch.tensor([0.5, -1.25, 65504, 6e-8]).half(),
    bfloat=torch.tensor([0.5, -1.25, 3e38]).bfloat16(),
    double=torch.tensor([[0.1, 0.2]], dtype=torch.float64),
    long=torch.tensor([1, -2, 2**40]),
    int=torch.tensor([1, -2], dtype=torch.int32),
    short=torch.tensor([1, -2], dtype=torch.int16),
    char=torch.tensor([1, -2], dtype=torch.int8),
    byte=torch.tensor([1, 254], dtype=torch.uint8),
    bool=torch.tensor([True, False]),
    parameter=nn.Parameter(torch.tensor([1.0, 2.0])),
)
golden = {"files": {"zip": saved(tensors), "legacy": saved(tensors, _use_new_zipfile_serialization=False)}}
golden["tensors"] = {
    name: {"dtype": str(t.dtype).replace("torch.", ""), **values(t)} for name, t in tensors.items()
}
for protocol in (3, 4):
    golden["files"][f"protocol{protocol}"] = saved(tensors, pickle_protocol=protocol)

# Values of Python around the tensors.
golden["files"]["values"] = saved(
    {
        "none": None,
        "ints": [0, -1, 255, 65536, 2**31, 2**40, -(2**70)],
        "floats": (0.5, float("inf"), 1e-300),
        "texts": ["a", "é\n", "x" * 300],
        "nested": {"a": {"b": [1, (2, 3)]}},
        "set": {1},
        "bytes": b"\x00\xff",
        "size": torch.Size([2, 3]),
        "array": np.arange(6, dtype=np.float64).reshape(2, 3),
        "scalar": np.float32(0.25),
        "device": torch.device("cpu"),
        "object": types.SimpleNamespace(lr=0.5),
        "default": collections.defaultdict(list, {"k": [1]}),
    }
)


class Net(nn.Module):
    """A whole module, pickled with its class."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(5, 3)
        self.conv = nn.Conv1d(3, 4, 3, padding=1)
        self.bn = nn.BatchNorm1d(4)
        self.rnn = nn.LSTM(4, 3, num_layers=2, bidirectional=True, batch_first=True)
        self.norm = nn.LayerNorm(6)
        self.head = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Dropout(0.1), nn.Linear(4, 2))

    def forward(self, x):
        x = self.bn(self.conv(self.embed(x).transpose(1, 2))).transpose(1, 2)
        x, _ = self.rnn(x)
        return self.head(self.norm(x))


net = Net()
with torch.no_grad():
    net.bn.running_mean.uniform_(-1, 1)
    net.bn.running_var.uniform_(0.5, 2)
    net.bn.weight.uniform_(0.5, 2)
net.eval()
ids = torch.randint(0, 5, (2, 7))
golden["net"] = {"x": ids.tolist(), "y": values(net(ids))}
golden["files"]["module"] = saved(net)
golden["files"]["state"] = saved(net.state_dict())
golden["files"]["wrapped"] = saved(nn.DataParallel(net).state_dict())
golden["files"]["checkpoint"] = saved({"epoch": 3, "model": net.state_dict(), "ema": net.state_dict(), "args": {"a": 1}})
buffer = io.BytesIO()
torch.jit.save(torch.jit.trace(net, ids), buffer)
golden["files"]["script"] = base64.b64encode(buffer.getvalue()).decode()
whole = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2), nn.Softmax(-1)).eval()
x = torch.randn(2, 3)
golden["files"]["sequential"] = saved(whole)
golden["sequential"] = {"x": x.tolist(), "y": values(whole(x))}

# Stacks of one recurrent module.
golden["stacks"] = {}
for name, module in {
    "lstm": nn.LSTM(3, 4, num_layers=2, batch_first=True),
    "projected": nn.LSTM(3, 5, proj_size=2, batch_first=True),
    "gru": nn.GRU(3, 4, num_layers=2, bidirectional=True, batch_first=True),
    "rnn": nn.RNN(3, 4, batch_first=True, bidirectional=True),
    "relu": nn.RNN(3, 4, batch_first=True, nonlinearity="relu", bias=False),
}.items():
    x = torch.randn(2, 5, 3)
    golden["stacks"][name] = {"file": saved(module.state_dict()), "x": x.tolist(), "y": values(module(x)[0])}

# Ten steps of each optimizer. The checkpoint is that after five.
golden["training"] = {}
optimizers = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "amsgrad": lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.8, 0.95), amsgrad=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.005, momentum=0.5, centered=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05, initial_accumulator_value=0.1),
    "largeEpsilon": lambda p: torch.optim.Adam(p, lr=0.01, eps=0.1),
}


class Trained(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(2, 3, batch_first=True)
        self.lstm = nn.LSTM(3, 4, batch_first=True)
        # As exportTorch writes it: one bias is trained. AdamW would decay the sum of two otherwise than one of them.
        nn.init.zeros_(self.lstm.bias_hh_l0).requires_grad_(False)
        self.norm = nn.LayerNorm(4)
        self.out = nn.Linear(4, 1)

    def forward(self, x):
        x, _ = self.lstm(self.gru(x)[0])
        return self.out(self.norm(x[:, -1]))


x, y = torch.randn(6, 5, 2), torch.randn(6, 1)
golden["x"], golden["y"] = x.tolist(), y.tolist()
for name, make in optimizers.items():
    torch.manual_seed(2)
    model = Trained()
    optimizer = make(model.parameters())
    losses = []
    for step in range(10):
        if step == 5:
            file = saved({"epoch": 5, "model_state_dict": model.state_dict(), "optimizer_state_dict": optimizer.state_dict()})
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    golden["training"][name] = {"file": file, "losses": losses}

# What is refused.
both = Trained()
both.lstm.bias_hh_l0.requires_grad_(True)
adam = torch.optim.Adam(both.parameters(), lr=0.01)
nn.functional.mse_loss(both(x), y).backward()
adam.step()
golden["files"]["bothBiases"] = saved({"model": both.state_dict(), "optimizer": adam.state_dict()})
for name, make in {
    "penalty": lambda p: torch.optim.Adam(p, weight_decay=0.1),
    "maximize": lambda p: torch.optim.SGD(p, lr=0.1, maximize=True),
    "nadam": lambda p: torch.optim.NAdam(p),
    "groups": lambda p: torch.optim.SGD([{"params": p[:2]}, {"params": p[2:], "lr": 0.5}], lr=0.1),
}.items():
    model = Trained()
    golden["files"][name] = saved(
        {"model": model.state_dict(), "optimizer": make(list(model.parameters())).state_dict()}
    )
golden["files"]["sparse"] = saved({"w": torch.eye(2).to_sparse()})
golden["files"]["quantized"] = saved({"w": torch.quantize_per_tensor(torch.eye(2), 0.1, 0, torch.qint8)})
golden["files"]["complex"] = saved({"w": torch.zeros(2, dtype=torch.complex64)})
golden["files"]["expanded"] = saved({"w": torch.zeros(1).expand(1000, 1000)})
golden["files"]["dumped"] = pickled(collections.OrderedDict(w=torch.zeros(2)))


class Runs:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


for protocol in (0, 2, 4):
    golden["files"][f"system{protocol}"] = pickled(Runs(os.system, "echo hacked"), protocol)
    golden["files"][f"eval{protocol}"] = pickled(Runs(eval, "print('hacked')"), protocol)
buffer = io.BytesIO()
torch.save({"w": torch.zeros(2), "x": Runs(os.system, "echo hacked")}, buffer)
golden["files"]["zipSystem"] = base64.b64encode(buffer.getvalue()).decode()
golden["files"]["builtin"] = pickled(Runs(getattr, dict, "clear"))

# Cells, run step by step.
golden["cells"] = {}
for name, cell in {
    "lstm": nn.LSTMCell(3, 4),
    "gru": nn.GRUCell(3, 4),
    "relu": nn.RNNCell(3, 4, nonlinearity="relu"),
}.items():
    x = torch.randn(2, 5, 3)
    state, outputs = None, []
    for t in range(5):
        state = cell(x[:, t], state)
        outputs.append(state[0] if name == "lstm" else state)
    y = torch.stack(outputs, 1)
    golden["cells"][name] = {"file": saved({f"cell.{k}": v for k, v in cell.state_dict().items()}), "x": x.tolist(), "y": values(y)}

# A normalization with averages alone, and modules that are told by their keys.
norm = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, affine=False))
for _ in range(3):
    norm(torch.randn(8, 3))
x = torch.randn(2, 3)
golden["averages"] = {"file": saved(norm.state_dict()), "x": x.tolist(), "y": values(norm.eval()(x))}
linear = nn.Linear(3, 4)
torch.nn.utils.prune.random_unstructured(linear, "weight", 0.5)
for name, module in {
    "weightNorm": torch.nn.utils.weight_norm(nn.Linear(3, 4)),
    "spectralNorm": torch.nn.utils.spectral_norm(nn.Linear(3, 4)),
    "parametrized": torch.nn.utils.parametrizations.orthogonal(nn.Linear(4, 4)),
    "pruned": linear,
    "attention": nn.MultiheadAttention(4, 2),
    "groupNorm": nn.GroupNorm(2, 4),
    "prelu": nn.PReLU(),
    "layerNorm": nn.LayerNorm([5, 4]),
}.items():
    golden["files"][name] = saved({f"m.{k}": v for k, v in module.state_dict().items()})

# Whole modules, whose attributes say what their tensors do not.
class Configured(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 4, 3, stride=2, padding=1)
        self.rnn = nn.RNN(4, 3, nonlinearity="relu", batch_first=True)
        self.norm = nn.LayerNorm(3, eps=0.5)
        self.bn = nn.BatchNorm1d(3, eps=0.25)
        self.fc = nn.Linear(3, 2, bias=False)

    def forward(self, x):
        x = self.conv(x.transpose(1, 2)).relu().transpose(1, 2)
        return self.fc(self.bn(self.norm(self.rnn(x)[0][:, -1])))


torch.manual_seed(5)
configured, x = Configured().eval(), torch.randn(2, 6, 3)
golden["configured"] = {"file": saved({"model": configured}), "x": x.tolist(), "y": values(configured(x))}
nested = nn.Sequential(
    nn.Conv1d(3, 4, 3, padding="same"), nn.ReLU(), nn.Flatten(),
    nn.Sequential(nn.Linear(24, 4), nn.Dropout(), nn.GELU()), nn.Linear(4, 2), nn.Softmax(-1),
).eval()
x = torch.randn(2, 6, 3)
golden["nested"] = {"file": saved(nested), "x": x.tolist(), "y": values(nested(x.transpose(1, 2)))}
for name, module in {
    "circular": nn.Sequential(nn.Conv1d(2, 2, 3, padding=1, padding_mode="circular")),
    "steepElu": nn.Sequential(nn.Linear(2, 2), nn.ELU(0.5)),
    "group": nn.Sequential(nn.Linear(2, 4), nn.GroupNorm(2, 4)),
    "leaky": nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU()),
}.items():
    golden["files"][name] = saved(module)

Path(__file__).with_name("golden.json").write_text(json.dumps(golden) + "\n")
