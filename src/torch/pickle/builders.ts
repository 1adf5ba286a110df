// What names of Python become in a file of PyTorch. Tensors are made of the names that torch.save uses. Names that run
// code are refused. Objects of all other classes are inert.

import type { TorchTensor } from '../tensors.ts';
import { arrayOfState, scalarOf } from './numpy.ts';
import { type Builders, refuse } from './pickle-reader.ts';
import { PickledName, PickledObject, type PickledValue } from './values.ts';

/** Makes a tensor of the arguments of `torch._utils._rebuild_tensor_v2`: storage, offset, shape, strides. */
export type MakeTensor = (args: readonly PickledValue[]) => TorchTensor;

/** Modules whose functions act on the machine. No file of a model needs one. */
const dangerousModules =
  /^(os|posix|nt|subprocess|sys|shutil|socket|pty|ctypes|runpy|importlib|webbrowser|codeop|pdb|timeit|multiprocessing|asyncio|pip|pickle|_pickle|dill|cloudpickle|torch\.hub|torch\.utils\.cpp_extension)(\.|$)/;
const dangerousBuiltins =
  /^(eval|exec|execfile|compile|open|file|__import__|input|raw_input|breakpoint|getattr|setattr|delattr|globals|locals|vars|apply|memoryview|exit|quit)$/;
const isBuiltins = (module: string): boolean => /^(__builtin__|builtins)$/.test(module);

/** How the tensors are called that are not plain storage, by the function that makes them. */
const otherTensors: Readonly<Record<string, string>> = {
  'torch._utils._rebuild_sparse_tensor': 'a sparse tensor: save tensor.to_dense()',
  'torch._utils._rebuild_sparse_csr_tensor': 'a sparse tensor: save tensor.to_dense()',
  'torch._utils._rebuild_qtensor': 'a quantized tensor: save tensor.dequantize()',
  'torch._utils._rebuild_nested_tensor': 'a nested tensor: save its parts',
  'torch._utils._rebuild_meta_tensor_no_storage': 'a tensor without data, of the device meta',
  'torch._utils._rebuild_wrapper_subclass': 'a tensor subclass: save tensor.detach().clone()',
  'torch._utils._rebuild_device_tensor_from_numpy': 'a tensor of XLA: save tensor.cpu()',
  'torch._utils._rebuild_device_tensor_from_cpu_tensor': 'a tensor of XLA: save tensor.cpu()',
  'torch.storage._load_from_bytes': 'tensors that pickle.dump has written: write them by torch.save',
};

/** The class of NumPy's arrays. The state of one that is read is a `TorchTensor`. */
export const NDARRAY = 'numpy.ndarray';

type Call = (args: readonly PickledValue[], spend: (count: number) => void) => PickledValue;

const sizeOfCopy = (value: PickledValue | undefined): number =>
  value instanceof Map || value instanceof Set
    ? value.size
    : Array.isArray(value) || value instanceof Uint8Array || typeof value === 'string'
      ? value.length
      : 0;

/** A dict of a dict or of a list of pairs; empty without one. */
const dictOf: Call = ([from], spend) => {
  spend(sizeOfCopy(from));
  const map = new Map<PickledValue, PickledValue>();
  if (from instanceof Map) for (const [key, value] of from) map.set(key, value);
  else if (Array.isArray(from)) {
    for (const pair of from) if (Array.isArray(pair) && pair.length === 2) map.set(pair[0]!, pair[1]!);
  }
  return map;
};

const listOf: Call = ([from = []], spend) => {
  spend(sizeOfCopy(from));
  return Array.isArray(from) || from instanceof Set ? [...from] : [];
};

const setOf: Call = (args, spend) => new Set(listOf(args, spend) as PickledValue[]);
const first: Call = ([value = null]) => value;

/** Text as bytes, which pickles of protocol 2 have instead of bytes. */
const encode: Call = ([text, encoding], spend) => {
  if (typeof text !== 'string' || !/^latin-?1$/.test(String(encoding))) {
    return refuse('pickle: _codecs.encode expected text for latin1');
  }
  spend(text.length);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
};

const numpyScalar: Call = (args) => scalarOf(args) ?? new PickledObject('numpy.scalar', args);
const newArray: Call = (args) => new PickledObject(NDARRAY, args);

/** An array of protocol 5: bytes, type, shape, order. */
const arrayOfBuffer: Call = ([raw = null, dtype = null, shape = null, order = null], spend) => {
  spend(sizeOfCopy(raw));
  const array = new PickledObject(NDARRAY, []);
  array.state = arrayOfState([1, shape, dtype, order === 'F', raw]);
  return array;
};

const calls = (makeTensor: MakeTensor): Readonly<Record<string, Call>> => ({
  ...both('dict', dictOf),
  ...both('list', listOf),
  ...both('tuple', listOf),
  ...both('set', setOf),
  ...both('frozenset', setOf),
  'collections.OrderedDict': dictOf,
  'collections.Counter': dictOf,
  'collections.defaultdict': () => new Map(),
  '_codecs.encode': encode,
  'torch.Size': first,
  'torch._utils._rebuild_tensor': makeTensor,
  'torch._utils._rebuild_tensor_v2': makeTensor,
  'torch._utils._rebuild_tensor_v3': ([storage, offset, shape, strides, _grad, _hooks, dtype]) =>
    makeTensor([storage!, offset!, shape!, strides!, dtype!]),
  'torch._utils._rebuild_parameter': first,
  'torch._utils._rebuild_parameter_with_state': first,
  // A tensor of a subclass: a function and its arguments.
  'torch._tensor._rebuild_from_type_v2': ([make, , args]) => {
    if (make instanceof PickledName && /_rebuild_tensor_v2$/.test(make.qualified) && Array.isArray(args)) {
      return makeTensor(args);
    }
    return new PickledObject('torch.Tensor', []);
  },
  'torch.jit._pickle.restore_type_tag': first,
  'torch.jit._pickle.build_tensorlist': first,
  'torch.jit._pickle.build_intlist': first,
  'torch.jit._pickle.build_doublelist': first,
  'torch.jit._pickle.build_boollist': first,
  'numpy.core.multiarray.scalar': numpyScalar,
  'numpy._core.multiarray.scalar': numpyScalar,
  'numpy.core.multiarray._reconstruct': newArray,
  'numpy._core.multiarray._reconstruct': newArray,
  'numpy.core.numeric._frombuffer': arrayOfBuffer,
  'numpy._core.numeric._frombuffer': arrayOfBuffer,
});

const both = (name: string, call: Call): Record<string, Call> => ({
  [`builtins.${name}`]: call,
  [`__builtin__.${name}`]: call,
});

/**
 * How the values of a file of PyTorch are made.
 *
 * @param makeTensor makes a tensor.
 * @param persistent makes a storage of a persistent id.
 */
export function torchBuilders(makeTensor: MakeTensor, persistent?: Builders['persistent']): Builders {
  const known = calls(makeTensor);
  return {
    ...(persistent && { persistent }),
    name(module, name) {
      if (dangerousModules.test(module) || (isBuiltins(module) && dangerousBuiltins.test(name))) {
        return refuse(`pickle: it asks to run ${module}.${name}, which no model needs; nothing of it was run`);
      }
      return new PickledName(module, name);
    },
    call(callable, args, spend) {
      if (!(callable instanceof PickledName)) return new PickledObject('unknown', args);
      const { qualified } = callable;
      if (Object.hasOwn(otherTensors, qualified)) return refuse(`it has ${otherTensors[qualified]}`);
      return Object.hasOwn(known, qualified) ? known[qualified]!(args, spend) : new PickledObject(qualified, args);
    },
    build(object, state, spend) {
      if (!(object instanceof PickledObject)) return;
      if (object.className === NDARRAY && Array.isArray(state)) {
        spend(sizeOfCopy(state[4]));
        object.state = arrayOfState(state) ?? state;
      } else object.state = state;
    },
  };
}
