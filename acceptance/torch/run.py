"""python3 run.py FOLDER

Runs the modules that exportTorch wrote to FOLDER: NAME.py with NAME.pt and NAME.in.json, a list of inputs that are run
one after the other. Writes NAME.out.json with the outputs, and NAME.back.pt, the weights saved again by torch.save.
"""
import importlib.util
import json
import sys
from pathlib import Path

import torch

folder = Path(sys.argv[1])
for i, path in enumerate(sorted(folder.glob("*.in.json"))):
    name = path.name[: -len(".in.json")]
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    result = {}
    try:
        spec.loader.exec_module(module)
        model, _ = module.load(folder / f"{name}.pt")
        model.eval()
        with torch.no_grad():
            outputs = []
            for given in json.loads(path.read_text()):
                x = torch.tensor(given["data"], dtype=torch.int64 if given["ids"] else torch.float32)
                outputs.append(model(x.reshape(given["shape"])))
        result["outputs"] = [{"shape": list(y.shape), "data": y.flatten().tolist()} for y in outputs]
        state = {"epoch": 1, "model_state_dict": model.state_dict()}
        torch.save(state if i % 2 else model.state_dict(), folder / f"{name}.back.pt", _use_new_zipfile_serialization=i % 3 > 0)
    except Exception as error:
        result["error"] = f"{type(error).__name__}: {error}"
    (folder / f"{name}.out.json").write_text(json.dumps(result))
