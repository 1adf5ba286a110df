// The list of workloads in docs/guides/benchmark-suite.md is the list that runs. Written anew by
// `npx vitest run test/docs/benchmark-suite.test.ts --update`.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { workloads } from '../../src/bench/workloads/all.ts';

const path = new URL('../../docs/guides/benchmark-suite.md', import.meta.url);
const mark = /(?<=<!-- workloads -->\n)[\s\S]*(?=<!-- end of workloads -->)/;

test('the guide of the benchmark suite lists every workload, by group', async () => {
  const groups = new Map<string, string[]>();
  for (const { name, group, stresses } of workloads) {
    groups.set(group, [...(groups.get(group) ?? []), `| ${group} | \`${name}\` | ${stresses} |`]);
  }
  const table = ['| group | name | what it stresses |', '| --- | --- | --- |', ...[...groups.values()].flat()].join(
    '\n',
  );
  const page = readFileSync(path, 'utf8');
  await expect(page.replace(mark, () => `\n${table}\n\n`)).toMatchFileSnapshot(path.pathname);
});
