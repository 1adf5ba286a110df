// npm run build                                            builds kernels and package
// npm run build:kernels, npm run build:package             one of them
// A part is left as it is if its inputs and its outputs are, byte for byte, those of its last build.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { build, isBuilt, type Part } from './build-parts.ts';
import { writeDefaultText } from './embed-default-text.ts';

/** Runs programs side by side; ends with the exit code of one that fails. */
async function run(...commands: string[]): Promise<void> {
  const codes = commands.map((command) => {
    const child = spawn(process.execPath, command.split(' '), { stdio: 'inherit' });
    return new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? 1)));
  });
  const failed = (await Promise.all(codes)).find((code) => code !== 0);
  if (failed !== undefined) process.exit(failed);
}

const script = (name: string): string => `--import tsx scripts/${name}`;
const makers: Record<Part, () => Promise<void>> = {
  kernels: async () => {
    await run(script('compile-kernels.ts simd'), script('compile-kernels.ts relaxed'));
    await run(script('build-kernels.ts'));
  },
  package: async () => {
    rmSync('build/declarations', { recursive: true, force: true });
    const tsc = 'node_modules/typescript/bin/tsc -p tsconfig.build.json';
    await run(`${tsc} --emitDeclarationOnly --outDir build/declarations`, script('build-package.ts'));
    await run(script('declarations.ts'));
  },
};

const asked = process.argv.slice(2);
for (const part of ['kernels', 'package'] as const) {
  if (part === 'package') writeDefaultText();
  if (asked.length > 0 && !asked.includes(part)) continue;
  if (isBuilt(part)) console.error(`${part}: built already`);
  else await build(part, makers[part]);
}
