// The numbers on which kernels switch are in assembly/ and, with names, in src/engine/abi.ts. Both must be the same.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import * as abi from '../../src/engine/abi.ts';

const folder = fileURLToPath(new URL('../../assembly/', import.meta.url));
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(folder + file, 'utf8') }));

/** The enums of assembly/ of a name, one for each file that declares it: members to numbers. */
function enumsOf(name: string): { file: string; members: Record<string, number> }[] {
  return sources.flatMap(({ file, text }) => {
    const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(text)?.[1];
    if (body === undefined) return [];
    let next = 0;
    const members: Record<string, number> = {};
    for (const [, member, value] of body.matchAll(/(\w+)(?:\s*=\s*(\d+))?,/g)) {
      if (value !== undefined) next = Number(value);
      members[member!] = next++;
    }
    return [{ file, members }];
  });
}

describe('numbers of the ABI', () => {
  test.each([
    ['Init', 3, abi.Init],
    ['Binary', 1, abi.Binary],
    ['Kind', 1, abi.StreamKind],
    ['Masked', 1, abi.Masked],
  ] as const)('enum %s of assembly, in %i files, is that of abi.ts', (name, files, table) => {
    const found = enumsOf(name);
    expect(found.map(({ file }) => file)).toHaveLength(files);
    for (const { members } of found) expect(members).toEqual(table);
  });

  test('Unary of elementwise.ts and Activation of activation.ts together, are Unary of abi.ts', () => {
    const [unary] = enumsOf('Unary');
    const activation = enumsOf('Activation').find(({ file }) => file === 'activation.ts');
    expect({ ...unary!.members, ...activation!.members }).toEqual(abi.Unary);
  });

  test('Activation of cell/rnn.ts, is RnnActivation of abi.ts', () => {
    const activation = enumsOf('Activation').find(({ file }) => file === 'cell/rnn.ts');
    expect(activation!.members).toEqual(abi.RnnActivation);
  });

  test('columns of a panel and the mark of int8, are those of abi.ts', () => {
    const constant = (name: string): number[] =>
      sources.flatMap(({ text }) =>
        Array.from(text.matchAll(new RegExp(`const ${name}(?:: \\w+)? = (\\d+)`, 'g')), ([, value]) => Number(value)),
      );
    expect(constant('NR')).toEqual([abi.PANEL_COLUMNS]);
    expect(constant('INT8')).toEqual([abi.STREAM_INT8]);
  });
});
