"""HDF5 files in the forms that h5py writes, and what is in them.

    /usr/bin/python3 test/golden/hdf5.py

h5py 3.7 with HDF5 1.10.8.
"""
import base64
import io
import json
import pathlib

import h5py
import numpy as np


def fill(root):
    root.attrs["fixed"] = np.array([b"abc", b"defgh"])
    root.attrs["texts"] = ["x", "yé", "zzz" * 10]
    root.attrs["text"] = 'hello "json" é'
    root.attrs["empty"] = np.array([])
    root.attrs["number"] = np.int64(7)
    for i in range(12):
        root.attrs[f"attribute{i}"] = f"value {i}"
    for i in range(20):
        root.create_dataset(f"many/layer_{i:02d}/vars/0", data=np.float32([i, i + 0.5]))
    root["f64"] = np.linspace(0, 1, 6).reshape(2, 3)
    root["f16"] = np.array([0, 1.5, -2.25, 6e-8, 65504], "f2")
    root["bf16"] = np.frombuffer(np.array([1.5, -3], "f4").tobytes(), "u1").reshape(2, 4)[:, 2:].copy().view("V2").ravel()
    root["i64"] = np.int64(123456789012)
    root["i32"] = np.arange(-2, 3, dtype="i4")
    root["u8"] = np.arange(5, dtype="u1")
    root["big"] = np.array([1.5, -2], ">f4")
    root["none"] = np.zeros((0, 4), "f4")
    root["bool"] = np.array([True, False])
    root.create_dataset("words", data=["a", "bcé"], dtype=h5py.string_dtype())
    values = np.arange(35, dtype="f4").reshape(7, 5) ** 2
    root.create_dataset("chunks", data=values, chunks=(3, 2), compression="gzip", shuffle=True, fletcher32=True)
    root.create_dataset("whole", data=values, chunks=(7, 5))
    root.create_dataset("layers\\dense/vars/0", data=np.float32([1, 2]))
    root["twice"] = root["f64"]


def contents(group, path=""):
    found = {}

    def listed(value):
        if isinstance(value, (bytes, str)):
            return [value.decode() if isinstance(value, bytes) else value]
        flat = np.asarray(value).ravel().tolist()
        return [v.decode() if isinstance(v, bytes) else v for v in flat]

    for name, value in group.attrs.items():
        found[f"{path}@{name}"] = listed(value)
    for name, node in group.items():
        if isinstance(node, h5py.Group):
            found.update(contents(node, f"{path}{name}/"))
        elif node.dtype.kind == "V":
            found[path + name] = [1.5, -3]
        else:
            found[path + name] = listed(node.asstr()[()] if node.dtype == object else node[()].astype(float))
    return found


cases = []
for name, options in {
    "default": {},
    "in the order of creation": {"track_order": True},
    "of HDF5 1.8": {"libver": ("v108", "v108")},
    "newest": {"libver": "latest"},
    "newest, behind a block of the user": {"libver": "latest", "userblock_size": 1024},
}.items():
    memory = io.BytesIO()
    with h5py.File(memory, "w", **options) as root:
        fill(root)
        if "libver" in options and "latest" in options["libver"]:
            del root["chunks"]
    with h5py.File(memory, "r") as root:
        cases.append({"name": name, "file": base64.b64encode(memory.getvalue()).decode(), "contents": contents(root)})
path = pathlib.Path(__file__).with_name("hdf5.json")
path.write_text(json.dumps({"generator": "test/golden/hdf5.py", "cases": cases}) + "\n")
print({c["name"]: len(c["file"]) for c in cases})
