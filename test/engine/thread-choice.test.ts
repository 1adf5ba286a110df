import { describe, expect, test } from 'vitest';
import { ThreadChoice } from '../../src/engine/thread-choice.ts';

/** A host whose jobs take a known time by their number of threads. Its clock runs only while jobs do. */
class Host {
  readonly choice: ThreadChoice;
  time = 0;

  constructor(cores = 8) {
    this.choice = new ThreadChoice(cores);
  }

  /** Runs a job. Returns its number of threads. */
  run(alone: number, most: number, timeOf: (threads: number) => number): number {
    const threads = this.choice.threadsFor(alone, most, this.time);
    const whole = timeOf(threads);
    this.time += whole;
    this.choice.record(alone, threads, alone / threads, whole, this.time);
    return threads;
  }

  /** Runs steps of jobs. Returns their time divided by that of the same steps on one thread. */
  steps(count: number, jobs: readonly number[], most: number, timeOf: (alone: number, threads: number) => number) {
    const start = this.time;
    let alone = 0;
    for (let i = 0; i < count; i++) {
      for (const job of jobs) {
        this.run(job, most, (threads) => timeOf(job, threads));
        alone += job;
      }
    }
    return (this.time - start) / alone;
  }
}

const HAND_OVER = 0.02;
const STEP = [0.1, 4.5, 0.5, 0.2, 0.3, 0.25, 4.5, 3.7, 0.1, 0.15];

/** Every thread has a core. */
const free = (alone: number, threads: number): number => alone / threads + (threads > 1 ? HAND_OVER : 0);

/** Threads beyond `cores` take turns with the others. */
const onCores =
  (cores: number) =>
  (alone: number, threads: number): number =>
    alone / Math.min(threads, cores) + (threads > 1 ? HAND_OVER : 0) + (threads > cores ? 0.1 * alone : 0);

/** Another process runs on one of two cores: of three jobs that are shared, two wait for their turn of 4 ms. */
function beside(): (alone: number, threads: number) => number {
  let jobs = 0;
  return (alone, threads) => (threads === 1 ? alone : alone / 2 + HAND_OVER + (jobs++ % 3 > 0 ? 4 : 0));
}

describe('the choice of the number of threads', () => {
  test('for jobs that were not seen, all', () => {
    expect(new ThreadChoice(4).threadsFor(5, 3, 0)).toBe(3);
  });

  test('after one job that was held up for an hour, all threads again within seconds', () => {
    const host = new Host();
    host.steps(200, STEP, 2, free);
    host.run(4.5, 2, () => 3.6e6);
    const start = host.time;
    let threads = 1;
    while (threads === 1) {
      expect(host.time - start).toBeLessThan(10_000);
      threads = host.run(4.5, 2, (count) => free(4.5, count));
    }
    expect(host.steps(200, STEP, 2, free)).toBeLessThan(0.6);
  });

  test('while every thread has a core, all, but for jobs shorter than handing over', () => {
    const host = new Host();
    expect(host.steps(50, STEP, 2, free)).toBeLessThan(0.53);
    expect(host.run(0.01, 2, (threads) => free(0.01, threads))).toBe(2);
    const chosen = Array.from({ length: 20 }, () => host.run(0.01, 2, (threads) => free(0.01, threads)));
    expect(chosen.filter((threads) => threads === 1).length).toBeGreaterThan(10);
  });

  test('beside a busy process, one for short jobs, with trials that cost under 3%, and all for long jobs', () => {
    const host = new Host();
    host.steps(20, STEP, 2, free);
    const busy = beside();
    host.steps(10, STEP, 2, busy);
    expect(host.steps(200, STEP, 2, busy)).toBeLessThan(1.03);
    expect(host.steps(20, [...STEP, 100], 2, busy)).toBeLessThan(0.7);
  });

  test('when the other process ends, all again within 50 steps', () => {
    const host = new Host();
    host.steps(200, STEP, 2, beside());
    host.steps(50, STEP, 2, free);
    expect(host.steps(20, STEP, 2, free)).toBeLessThan(0.54);
  });

  test('after a job that was held up once, all again within 50 steps', () => {
    const host = new Host();
    host.steps(50, STEP, 2, free);
    host.run(4.5, 2, () => 20);
    host.steps(50, STEP, 2, free);
    expect(host.steps(20, STEP, 2, free)).toBeLessThan(0.54);
  });

  test('never more than the host has cores', () => {
    const host = new Host(2);
    expect(Array.from({ length: 50 }, () => host.run(4, 4, (threads) => free(4, threads)))).toEqual(Array(50).fill(2));
  });

  test('of four threads that get two cores, seldom four; as soon as they get four, four', () => {
    const host = new Host();
    host.steps(50, STEP, 4, onCores(2));
    expect(host.steps(100, STEP, 4, onCores(2))).toBeLessThan(0.6);
    host.steps(50, STEP, 4, onCores(4));
    expect(host.steps(50, STEP, 4, onCores(4))).toBeLessThan(0.3);
  });

  test('for jobs whose sizes never repeat, from the time of a unit of work', () => {
    const host = new Host();
    const busy = beside();
    const job = (i: number) => 1 + (i % 7) / 10 + i / 1e6;
    const all = (from: number) =>
      host.steps(
        1,
        Array.from({ length: 500 }, (_, i) => job(from + i)),
        2,
        busy,
      );
    all(0);
    expect(all(500)).toBeLessThan(1.03);
  });
});
