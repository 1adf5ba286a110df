// node --max-old-space-size=512 --import tsx acceptance/torch/hostile.ts COUNT SEED [FOLDER]
// Damaged files of PyTorch: those of test/torch, and those of at most 250 kB below FOLDER.
import { dense, init, sequential } from '../../src/index.ts';
import { importTorch, loadStateDict, readTorch, torchOptimizer } from '../../src/torch.ts';
import { damaged } from '../../test/torch/damage.ts';
import { bytesOf, golden } from '../../test/torch/golden.ts';
import { runDamaged, smallFiles } from '../damaged.ts';

const originals = [
  ...Object.values(golden.files),
  ...Object.values(golden.training).map(({ file }) => file),
  ...Object.values(golden.stacks).map(({ file }) => file),
].map(bytesOf);
originals.push(...smallFiles(process.argv[4], /\.(pt|pth|safetensors)$/, 250_000));

await init();
const model = sequential([dense({ units: 1, inputShape: [2] })]);
runDamaged({
  originals: originals.length,
  damage: (random) => damaged(originals, random),
  read(bytes, also) {
    const value = readTorch(bytes);
    if (!(value instanceof Map)) return;
    also(() => loadStateDict(model, value));
    also(() => torchOptimizer(model, value));
    also(() => importTorch(value).dispose());
  },
});
