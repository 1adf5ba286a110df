// The suite as one script for the shells of engines (d8, jsc, js), which need no more than WebAssembly, `print` and a
// clock. scripts/build-bench.ts bundles it.
//   d8 shell.js -- quick only=gemm      jsc shell.js -- size=small      js shell.js json
// The last line is the report as JSON if `json` is given.
import { ArgumentError } from '../checks/argument-error.ts';
import { terminalReport } from './report/terminal.ts';
import { type BenchOptions, runBench } from './run.ts';

/** What the shells call their functions. */
interface Shell {
  readonly print?: (text: string) => void;
  readonly console?: { log(text: string): void };
  readonly performance?: { now?(): number };
  /** Of jsc, in seconds. */
  readonly preciseTime?: () => number;
  /** Of js, in milliseconds. */
  readonly dateNow?: () => number;
  /** Arguments of the script: of d8 and jsc, and of js. */
  readonly arguments?: readonly string[];
  readonly scriptArgs?: readonly string[];
  /** Ends a shell with an exit code. */
  readonly quit?: (code: number) => void;
}

const shell = globalThis as Shell;

function clockOf({ performance, preciseTime, dateNow }: Shell): () => number {
  if (performance?.now) return () => performance.now!();
  if (preciseTime) return () => 1000 * preciseTime();
  return dateNow ?? (() => Date.now());
}

const ARGUMENTS = ['size', 'mode', 'only', 'rounds', 'iterations'];
const SWITCHES = ['quick', 'json'];

function optionsOf(args: readonly string[]): { options: BenchOptions; isJson: boolean } {
  const options: Record<string, unknown> = { rounds: 1 };
  for (const arg of args) {
    const [name = '', value] = arg.replace(/^--/, '').split('=');
    const isKnown = value === undefined ? SWITCHES.includes(name) : ARGUMENTS.includes(name);
    if (!isKnown) {
      throw new ArgumentError(`expected ${SWITCHES.join(', ')}, ${ARGUMENTS.join('=, ')}=, got ${arg}`);
    }
    options[name] = value === undefined ? true : name === 'rounds' || name === 'iterations' ? Number(value) : value;
  }
  const { json = false, ...rest } = options;
  return { options: rest as BenchOptions, isJson: json === true };
}

async function main(print: (text: string) => void): Promise<void> {
  const { options, isJson } = optionsOf(shell.scriptArgs ?? shell.arguments ?? []);
  // A shell has no events to handle between samples.
  const report = await runBench({ ...options, now: clockOf(shell), pause: async () => {} });
  print(terminalReport(report, { color: false, width: 100 }));
  if (isJson) print(JSON.stringify(report));
  if (!report.verified) shell.quit?.(1);
}

const print = shell.print ?? ((text: string) => shell.console?.log(text));
main(print).catch((error: unknown) => {
  print(error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ''}` : String(error));
  shell.quit?.(1);
});
