# Files as the official implementation writes them, as hex, into safetensors-golden.json beside this script.
# Run: pip install safetensors==0.8.0 numpy==2.4.6 && python3 test/io/safetensors-golden.py
import json
import pathlib

import numpy as np
import safetensors
from safetensors.numpy import save

every_dtype = save(
    {
        "layer.0.kernel": np.array([[1.5, -2.0, 0.25]], dtype=np.float32),
        "bias": np.array([0.1], dtype=np.float32),
        "scalar": np.array(3.25, dtype=np.float64),
        "ids": np.array([1, -(2**63)], dtype=np.int64),
        "counts": np.array([2**64 - 1], dtype=np.uint64),
        "i32": np.array([-5], dtype=np.int32),
        "u32": np.array([2**32 - 1], dtype=np.uint32),
        "i16": np.array([-6], dtype=np.int16),
        "u16": np.array([65535], dtype=np.uint16),
        "i8": np.array([-7], dtype=np.int8),
        "u8": np.array([250, 251], dtype=np.uint8),
        "mask": np.array([True, False, True]),
        "12": np.zeros((0, 3), dtype=np.float32),
        "__proto__": np.array([8], dtype=np.uint8),
        'ünïcode "\\\n😀': np.array([9], dtype=np.uint8),
    },
    # One key: the official writer keeps metadata in a hash map, whose order changes from run to run.
    metadata={"note": 'a "quoted" line\n'},
)
# numpy has no bfloat16: both halves go in as their bits.
bits = {
    # 1, -0.5, 65504, the smallest subnormal, the largest subnormal, -0, infinity
    ("f16", "float16"): np.array([0x3C00, 0xB800, 0x7BFF, 0x0001, 0x03FF, 0x8000, 0x7C00], dtype="<u2"),
    # 1, -2.5, the largest
    ("bf16", "bfloat16"): np.array([[0x3F80], [0xC020], [0x7F7F]], dtype="<u2"),
}
halves = safetensors.serialize(
    {
        name: safetensors.TensorSpec(dtype=dtype, shape=a.shape, data_ptr=a.ctypes.data, data_len=a.nbytes)
        for (name, dtype), a in bits.items()
    }
)
golden = {
    "generator": f"test/io/safetensors-golden.py, safetensors {safetensors.__version__}",
    "everyDtype": every_dtype.hex(),
    "halves": bytes(halves).hex(),
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden, indent=2) + "\n")
