// node --max-old-space-size=256 --import tsx acceptance/tfjs/hostile.ts COUNT SEED
// Damaged models of TF.js: those of test/golden/tfjs-models.json.
import { importTfjs, type TfjsArtifacts } from '../../src/tfjs.ts';
import { damagedModel } from '../../test/tfjs/damage.ts';
import { artifactsOf, models, type TfjsCase } from '../../test/tfjs/golden.ts';
import { runDamaged } from '../damaged.ts';

const originals = Object.values(models as Record<string, TfjsCase>).map(artifactsOf);
runDamaged({
  originals: originals.length,
  damage: (random) => damagedModel(originals[random.nextUint32() % originals.length]!, random),
  read: (artifacts) => importTfjs(artifacts as TfjsArtifacts).dispose(),
  // It says nothing that helps: a check is missing.
  faultOf: ({ message, cause }) =>
    /^importTfjs: a part of/.test(message) ? `plain error: ${String(cause)}`.slice(0, 160) : undefined,
});
