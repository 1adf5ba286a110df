// Times a process from its start to its first result. Each sample is a new process, and the engines alternate.
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Calibration } from './calibration.ts';
import type { Case } from './cases.ts';
import type { Engine } from './measure.ts';
import { here } from './processes.ts';
import { failure, median, type PeerResult } from './results.ts';

/** The command for the script of each engine. The scripts are plain JavaScript, so their time is that of the engine. */
function startCommand(engine: Engine, node: string, model: string): { program: string; args: string[] } {
  const { program } = engine.command;
  if (engine.name === 'torch') return { program, args: [here('start/torch_start.py')] };
  return { program: node, args: [here(`start/${engine.name}.mjs`), model] };
}

/** Milliseconds until the first output of the process. Throws if the process ends without output. */
function timeFirstLine(command: { program: string; args: string[] }): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command.program, command.args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    let said: number | undefined;
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.stdout.on('data', (chunk) => {
      if (said === undefined && String(chunk).includes('first result')) said = performance.now() - started;
    });
    child.on('error', reject);
    // The next process starts after this one has ended.
    child.on('close', () => {
      if (said === undefined) reject(new Error(stderr.trim().slice(-400) || 'it ended without a result'));
      else resolve(said);
    });
  });
}

export interface StartOptions {
  calibration: Calibration;
  runs: number;
  node: string;
  directory: string;
}

/**
 * Times the first LSTM step of every engine, and an empty script. Except for PyTorch, each time includes that of the
 * empty script.
 */
export async function measureStart(
  what: Case,
  engines: readonly Engine[],
  { calibration, runs, node, directory }: StartOptions,
): Promise<PeerResult[]> {
  const model = join(directory, 'step.onnx');
  if (engines.some(({ name, missing }) => name.startsWith('ort-') && !missing)) {
    const { recurrentModel } = await import(`./engines/${'onnx-model'}.ts`);
    writeFileSync(model, recurrentModel(what, { states: true }));
  }
  const bare: Engine = { name: 'node', threads: 1, command: { program: node, args: [] } };
  const results: PeerResult[] = [];
  const contenders = [bare, ...engines].map((engine) => ({
    engine,
    command: startCommand(engine, node, model),
    samples: [] as { ms: number; calm: boolean }[],
    error: undefined as unknown,
  }));
  for (const contender of contenders) {
    const script = contender.command.args[0]!;
    if (contender.engine.missing) contender.error = contender.engine.missing;
    else if (!existsSync(script)) contender.error = 'no start-up script';
  }
  // The first round only fills the file cache and the code cache of V8.
  for (let round = -1; round < runs; round++) {
    for (const contender of contenders) {
      if (contender.error !== undefined) continue;
      const before = calibration.settle();
      try {
        const ms = await timeFirstLine(contender.command);
        const calm = calibration.isCalm(before) && calibration.isCalm(calibration.spin());
        if (round >= 0) contender.samples.push({ ms, calm });
      } catch (error) {
        contender.error = error;
      }
    }
  }
  for (const { engine, samples, error } of contenders) {
    const of = { suite: what.suite, case: what.case, engine: engine.name, threads: engine.threads };
    if (error !== undefined) {
      results.push(failure(of, error));
      continue;
    }
    const calm = samples.filter((sample) => sample.calm);
    const noisy = 2 * calm.length < samples.length;
    const times = (noisy ? samples : calm).map(({ ms }) => ms);
    results.push({
      ...of,
      medianMs: median(times),
      minMs: Math.min(...times),
      runs: times.length,
      gflops: null,
      percentOfPeak: null,
      dropped: samples.length - times.length,
      difference: null,
      ...(noisy && { noisy }),
    });
  }
  return results;
}
