// `tapeloop bench`, from end to end.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createContext, Script } from 'node:vm';
import { describe, expect, test } from 'vitest';
import type { BenchReport } from '../../src/bench/results.ts';
import { workloads } from '../../src/bench/workloads/all.ts';
import { at, buildCommandLine, expectDone, run } from './processes.ts';

buildCommandLine();

const FEW = ['--size', 'small', '--only', 'softmax,gru-step', '--iterations', '2'];
const reportAt = (name: string): BenchReport => JSON.parse(readFileSync(at(name), 'utf8'));

describe('tapeloop bench', () => {
  test('runs each round in its own process, verifies, and writes reports of all forms', () => {
    const { stdout, stderr } = expectDone(
      run('bench', ...FEW, '--rounds', '2', '--json', 'a.json', '--markdown', 'a.md', '--html', 'a.html'),
    );
    expect(stderr).toBe('round 1 of 2\nround 2 of 2\n');
    expect(stdout).toContain('verified  ✓ all 2 results');
    expect(stdout).toContain('softmax/small');
    const report = reportAt('a.json');
    expect(report.settings).toEqual({
      ...{ mode: 'reproducible', size: 'small', rounds: 2, iterations: 2, only: 'softmax,gru-step' },
    });
    expect(report.results.map(({ samples }) => samples.map((round) => round.length))).toEqual([
      [2, 2],
      [2, 2],
    ]);
    expect(readFileSync(at('a.md'), 'utf8')).toContain('softmax/small');
    expect(readFileSync(at('a.html'), 'utf8')).toContain('"id":"softmax/small"');
    expect(readdirSync(at('')).filter((name) => name.startsWith('.tapeloop'))).toEqual([]);
  });

  test('compares two reports; what is slower or another result ends with 1', () => {
    expectDone(run('bench', ...FEW, '--iterations', '9', '--quiet', '--json', 'a.json'));
    const same = run('bench', '--compare', 'a.json', 'a.json');
    expect(same.code).toBe(0);
    const report = reportAt('a.json');
    for (const round of report.results[0]!.samples) for (let i = 0; i < round.length; i++) round[i]! *= 50;
    writeFileSync(at('slow.json'), JSON.stringify(report));
    const slow = run('bench', '--compare', 'a.json', 'slow.json', '--json', 'ratios.json');
    expect(slow.code).toBe(1);
    expect(slow.stdout).toContain('slower');
    const { rows } = JSON.parse(readFileSync(at('ratios.json'), 'utf8'));
    expect(rows[0]).toMatchObject({ id: 'softmax/small', verdict: 'slower', isSameResult: true });
    expect(rows[0].ratio).toBeCloseTo(50, 6);
    report.results[1]!.hash = 'other';
    writeFileSync(at('other.json'), JSON.stringify({ ...report, results: report.results.slice(1) }));
    expect(run('bench', '--compare', 'a.json', 'other.json').code).toBe(1);
  });

  test('lists the workloads; writes the page, and a script that runs in a realm without anything', async () => {
    const { stdout } = expectDone(run('bench', '--list'));
    expect(stdout.trim().split('\n')).toHaveLength(workloads.length);
    expectDone(run('bench', '--page', 'page'));
    expect(readdirSync(at('page')).sort()).toEqual([
      ...['index.html', 'page.js', 'report.css', 'report.js', 'suite-worker.js'],
    ]);
    expectDone(run('bench', '--script', 'suite.js'));
    const args = ['size=small', 'only=gemv', 'iterations=1', 'json'];
    const last = await new Promise<string>((resolve, reject) => {
      const print = (line: string): void => {
        if (line.startsWith('{')) resolve(line);
        else reject(new Error(line));
      };
      const context = createContext(Object.assign(Object.create(null), { print, arguments: args }));
      new Script(readFileSync(at('suite.js'), 'utf8')).runInContext(context);
    });
    const report = JSON.parse(last) as BenchReport;
    expect(report.host.runtime).toBe('shell');
    expect(report.results.map(({ id, verified }) => [id, verified])).toEqual([
      ['gemv/small', true],
      ['gemv-int8/small', true],
    ]);
  });

  test.each([
    [['--size', 'huge'], 2, 'tapeloop bench: --size: expected one of small, medium, large, got "huge"\n'],
    [['--rounds', '0'], 2, 'tapeloop bench: --rounds: expected a whole number from 1 to 1000, got "0"\n'],
    [
      ['--only', 'gemv,nothing'],
      1,
      /^tapeloop: runBench: only expected parts of names .*, got 'nothing' in 'gemv,nothing'\n$/,
    ],
    [['--quick', '--json', 'nowhere/a.json'], 1, /^tapeloop: cannot write nowhere\/a\.json: [^\n]+\n$/],
    [['--list', '--quick'], 2, 'tapeloop bench: --quick expected without --list\n'],
    [['--compare', 'a.json', 'b.json', '--html', 'c.html'], 2, 'tapeloop bench: --html expected without --compare\n'],
    [
      ['--html', 'a.json', 'b.json'],
      2,
      'tapeloop bench: --html: expected another name than that of a report, got "a.json"\n',
    ],
    [['--json', 'x', '--html', 'x'], 2, 'tapeloop bench: expected each file once, got "x" twice\n'],
    [['--compare', 'a', 'b', '--json', 'a'], 2, 'tapeloop bench: expected each file once, got "a" twice\n'],
    [['--quick', '--html', 'h', 'a.json'], 2, 'tapeloop bench: --quick expected without reports of earlier runs\n'],
    [['--compare', 'a.json'], 2, 'tapeloop bench: --compare expected two reports, got 1\n'],
    [['a.json'], 2, 'tapeloop bench: reports expected with --compare or --html, one of them with --markdown\n'],
    [['--compare', 'none.json', 'none.json'], 1, /^tapeloop: cannot read none\.json: /],
    [['--compare', 'text.txt', 'text.txt'], 1, /^tapeloop: cannot read text\.txt: expected the JSON of a report\n$/],
    [['--compare', 'list.json', 'list.json'], 1, /list\.json expected a report of the form tapeloop-bench\/1, got /],
  ] as [string[], number, string | RegExp][])('%j is refused in one line', (args, code, message) => {
    writeFileSync(at('text.txt'), 'no JSON');
    writeFileSync(at('list.json'), '[1]');
    const result = run('bench', ...args);
    expect(result.code).toBe(code);
    if (typeof message === 'string') expect(result.stderr).toBe(message);
    else expect(result.stderr).toMatch(message);
    expect(result.stdout).toBe('');
    expect(existsSync(at('none.json'))).toBe(false);
  });
});
