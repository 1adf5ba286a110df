// The suite as one script for the shells of engines (d8, jsc, js), which need no more than WebAssembly, `print` and a
// clock. scripts/build-bench.ts bundles it.
//   d8 shell.js -- quick only=gemm      jsc shell.js -- size=small      js shell.js json
// With `json` it prints the report as JSON alone. Where `quit` takes a code, it is 1 if something is wrong.
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
  /** Of Node and what is like it. */
  readonly process?: { readonly argv?: readonly string[] };
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
    const isCount = name === 'rounds' || name === 'iterations';
    if (isCount && !/^[1-9]\d*$/.test(value ?? ''))
      throw new ArgumentError(`${name}= expected a whole number, got ${arg}`);
    options[name] = value === undefined ? true : isCount ? Number(value) : value;
  }
  const { json = false, ...rest } = options;
  return { options: rest as BenchOptions, isJson: json === true };
}

const print = shell.print ?? ((text: string) => shell.console?.log(text));

/** Says what is wrong, and ends the shell with 1 where `quit` takes a code. */
function fail(error: unknown): never {
  print(error instanceof ArgumentError ? `suite: ${error.message}` : String((error as Error)?.stack ?? error));
  // jsc ignores the code of `quit`. It ends with 3 after an uncaught error, but not after a rejected promise.
  if (shell.preciseTime === undefined) shell.quit?.(1);
  throw error;
}

async function run({ options, isJson }: ReturnType<typeof optionsOf>): Promise<void> {
  // A shell has no events to handle between samples.
  const report = await runBench({ ...options, now: clockOf(shell), pause: async () => {} });
  print(isJson ? JSON.stringify(report) : terminalReport(report, { color: false, width: 100 }));
  if (!report.verified) throw new Error('a result is wrong');
}

let asked: ReturnType<typeof optionsOf>;
try {
  asked = optionsOf(shell.scriptArgs ?? shell.arguments ?? shell.process?.argv?.slice(2) ?? []);
} catch (error) {
  fail(error);
}
run(asked).catch(fail);
