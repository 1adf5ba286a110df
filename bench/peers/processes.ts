// Starts the process of an engine and exchanges messages with it. A process gets one request at a time.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Answer, Ready, Request } from './protocol.ts';

export interface Command {
  program: string;
  args: string[];
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Time limit for one answer. It is long because jax-js traces a long sequence for minutes. */
const PATIENCE_MS = 15 * 60_000;
/** Number of last characters of stderr to report if the process dies. */
const KEPT_STDERR = 2000;

export class EngineProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #stderr = '';

  private constructor({ program, args }: Command) {
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.on('error', (error) => {
      this.#stderr += error.message;
    });
    this.#child.stdin!.on('error', () => {});
    this.#child.stderr!.on('data', (chunk) => {
      this.#stderr = (this.#stderr + chunk).slice(-KEPT_STDERR);
    });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** Starts a process and waits until its engine is ready. */
  static async start(command: Command): Promise<{ process: EngineProcess; version: string }> {
    const child = new EngineProcess(command);
    const { version } = await child.#answer<Ready>();
    return { process: child, version };
  }

  /**
   * Sends a request and returns the answer. Throws if the engine answers with an error, the process dies, or the answer
   * takes too long.
   */
  ask<Body>(request: Request): Promise<Body> {
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    return this.#answer<Body>();
  }

  /** Freezes the process until `resume`: threads of some engines spin while they wait for work. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  async #answer<Body>(): Promise<Body> {
    const patience = setTimeout(() => this.stop(), PATIENCE_MS);
    const { value, done } = await this.#lines.next();
    clearTimeout(patience);
    if (done) {
      const [code, signal] = [this.#child.exitCode, this.#child.signalCode];
      this.stop();
      throw new Error(`the process ended (${signal ?? code ?? 'killed'}): ${this.#stderr.trim().slice(-400)}`);
    }
    const answer = JSON.parse(value) as Answer<Body>;
    if (typeof answer === 'object' && answer !== null && 'error' in answer) throw new Error(answer.error);
    return answer as Body;
  }
}

/** Command for an engine that is a module in engines/. `node` is the path of the Node binary. */
export const javascriptEngine = (node: string, name: string, threads: number): Command => ({
  program: node,
  args: ['--import', 'tsx', here('child.ts'), name, String(threads)],
});

/** Command for PyTorch. `python` is the path of the Python binary. */
export const pythonEngine = (python: string, threads: number): Command => ({
  program: python,
  args: [here('engines/torch_engine.py'), String(threads)],
});

export { here };
