import { describe, expect, test } from 'vitest';
import { Progress } from '../../src/cli/progress.ts';

/** A stream that remembers, and a clock that moves when told. */
function stage(isTTY: boolean, columns = 100) {
  const written: string[] = [];
  let time = 1000;
  return {
    written,
    stream: { isTTY, columns, write: (text: string) => written.push(text) },
    now: () => time,
    wait: (ms: number) => {
      time += ms;
    },
  };
}

describe('Progress on a terminal', () => {
  test('step in the middle, draws bar, loss, time left and rate over the old line', () => {
    const { written, stream, now, wait } = stage(true);
    const progress = new Progress({ total: 400, stream, now });
    wait(2000);
    progress.update({ step: 100, loss: 2.5, chars: 300_000 });
    expect(written).toEqual([
      '\r[======                  ] step 100/400  loss 2.5000  0:06 left  150,000 chars/s\x1b[K',
    ]);
  });

  test('validation, leaves a line without a bar, which the next bar stands below', () => {
    const { written, stream, now, wait } = stage(true);
    const progress = new Progress({ total: 400, stream, now });
    wait(2000);
    progress.update({ step: 100, loss: 2.5, chars: 300_000, valLoss: 2.75 });
    progress.line('sample');
    wait(2000);
    progress.update({ step: 200, loss: 2.25, chars: 600_000 });
    expect(written).toEqual([
      '\rstep 100/400  loss 2.5000  val 2.7500  0:06 left  150,000 chars/s\x1b[K\n',
      'sample\n',
      '\r[============            ] step 200/400  loss 2.2500  val 2.7500  0:04 left  150,000 chars/s\x1b[K',
    ]);
  });

  test('1000 steps in a second, draw 10 times', () => {
    const { written, stream, now, wait } = stage(true);
    const progress = new Progress({ total: 5000, stream, now });
    for (let step = 1; step <= 1000; step++) {
      wait(1);
      progress.update({ step, loss: 1, chars: step });
    }
    expect(written).toHaveLength(10);
  });

  test.each([
    [60, 'step 100/400  loss 2.5000  0:06 left  150,000 chars/s'],
    [40, 'step 100/400  loss 2.5000  0:06 left'],
    [30, 'step 100/400  loss 2.5000'],
    [10, 'step 100/'],
  ])('%i columns, drops the bar, then whole parts from the end, and never wraps', (columns, shown) => {
    const { written, stream, now, wait } = stage(true, columns);
    const progress = new Progress({ total: 400, stream, now });
    wait(2000);
    progress.update({ step: 100, loss: 2.5, chars: 300_000 });
    expect(written).toEqual([`\r${shown}\x1b[K`]);
    expect(shown.length).toBeLessThan(columns);
  });

  test('line, stands above the bar, which is drawn again', () => {
    const { written, stream, now, wait } = stage(true);
    const progress = new Progress({ total: 10, stream, now });
    progress.line('before');
    wait(500);
    progress.update({ step: 1, loss: 1, chars: 1 });
    const bar = written[1].slice(1, -'\x1b[K'.length);
    progress.line('saved');
    expect(written).toEqual(['before\n', `\r${bar}\x1b[K`, `\r\x1b[Ksaved\n${bar}`]);
  });

  test('finish, leaves the last step in place of the bar, once, even if it was not time to draw', () => {
    const { written, stream, now, wait } = stage(true);
    const progress = new Progress({ total: 2, stream, now });
    wait(150);
    progress.update({ step: 1, loss: 1, chars: 10 });
    wait(1);
    progress.update({ step: 2, loss: 0.5, chars: 20 });
    progress.finish();
    progress.finish();
    expect(written.slice(1)).toEqual(['\rstep 2/2  loss 0.5000  0:00 left  132 chars/s\x1b[K\n']);
  });

  test('finish after a validation, adds nothing', () => {
    const { written, stream, now, wait } = stage(true);
    const progress = new Progress({ total: 1, stream, now });
    wait(150);
    progress.update({ step: 1, loss: 1, chars: 10, valLoss: 1 });
    progress.finish();
    expect(written).toHaveLength(1);
  });
});

describe('Progress into a file', () => {
  test('steps for 12 seconds with one validation, writes plain lines every 5 seconds and for the validation', () => {
    const { written, stream, now, wait } = stage(false);
    const progress = new Progress({ total: 1200, stream, now });
    for (let step = 1; step <= 120; step++) {
      wait(100);
      progress.update({ step, loss: 1, chars: 100 * step, ...(step === 70 ? { valLoss: 1.5 } : {}) });
    }
    expect(written).toEqual([
      'step 50/1200  loss 1.0000  1:55 left  1,000 chars/s\n',
      'step 70/1200  loss 1.0000  val 1.5000  1:53 left  1,000 chars/s\n',
      'step 120/1200  loss 1.0000  val 1.5000  1:48 left  1,000 chars/s\n',
    ]);
  });

  test('line after a step was written, stands alone', () => {
    const { written, stream, now, wait } = stage(false);
    const progress = new Progress({ total: 3, stream, now });
    wait(1000);
    progress.update({ step: 1, loss: 1, chars: 1000, valLoss: 1 });
    progress.line('saved');
    expect(written.slice(1)).toEqual(['saved\n']);
  });

  test('finish, writes the last step once', () => {
    const { written, stream, now, wait } = stage(false);
    const progress = new Progress({ total: 3, stream, now });
    wait(1000);
    progress.update({ step: 3, loss: 1, chars: 3000 });
    progress.finish();
    progress.finish();
    expect(written).toEqual(['step 3/3  loss 1.0000  0:00 left  3,000 chars/s\n']);
  });
});

describe('Progress', () => {
  test('rate, follows the last ten seconds', () => {
    const { stream, now, wait } = stage(false);
    const progress = new Progress({ total: 1000, stream, now });
    let chars = 0;
    for (let step = 1; step <= 40; step++) {
      wait(1000);
      chars += step <= 20 ? 10 : 1000;
      progress.update({ step, loss: 1, chars });
    }
    expect(progress.charsPerSecond).toBe(1000);
  });

  test('resumed run, counts the time left from the steps of this run', () => {
    const { written, stream, now, wait } = stage(false);
    const progress = new Progress({ total: 8000, start: 900, stream, now });
    wait(10_000);
    progress.update({ step: 1000, loss: 1, chars: 1000 });
    expect(written[0]).toContain('11:40 left');
  });

  test('first step before any time has passed, shows no time left', () => {
    const { written, stream, now } = stage(false);
    new Progress({ total: 9000, stream, now }).update({ step: 1, loss: Number.NaN, chars: 5, valLoss: 3 });
    expect(written).toEqual(['step 1/9000  loss NaN  val 3.0000  -:-- left  0 chars/s\n']);
  });

  test('hours left, are written as such', () => {
    const { written, stream, now, wait } = stage(false);
    const progress = new Progress({ total: 3724, stream, now });
    wait(1000);
    progress.update({ step: 1, loss: 1, chars: 1, valLoss: 1 });
    expect(written[0]).toContain('1:02:03 left');
  });

  test('quiet, writes nothing and still knows the rate', () => {
    const { written, stream, now, wait } = stage(true);
    const progress = new Progress({ total: 2, quiet: true, stream, now });
    wait(1000);
    progress.update({ step: 1, loss: 1, chars: 500, valLoss: 1 });
    progress.line('x');
    progress.finish();
    expect(written).toEqual([]);
    expect(progress.charsPerSecond).toBe(500);
  });
});
