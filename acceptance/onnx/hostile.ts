// node --max-old-space-size=256 --import tsx acceptance/onnx/hostile.ts COUNT SEED [FOLDER]
// Damaged files of ONNX: the graphs of test/onnx, and those of at most 20 kB below FOLDER.
import { importOnnx } from '../../src/onnx.ts';
import { graphCases } from '../../test/onnx/all-cases.ts';
import { damaged } from '../../test/onnx/damage.ts';
import { runDamaged, smallFiles } from '../damaged.ts';

const originals = [...smallFiles(process.argv[4], /\.onnx$/, 20_000), ...graphCases.map(({ bytes }) => bytes)];
runDamaged({
  originals: originals.length,
  damage: (random) => damaged(random, originals),
  read: (bytes) => importOnnx(bytes).dispose(),
});
