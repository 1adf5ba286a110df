#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { ArgumentError } from '../checks/argument-error.ts';
import { TextError } from '../data/text/text.ts';
import { HostError } from '../engine/loading/load.ts';
import { OutOfMemoryError } from '../engine/memory.ts';
import { FileError } from '../io/file-error.ts';
import { ModelFileError } from '../io/safetensors.ts';
import { convert } from './convert.ts';
import { type Command, parseCommand, UsageError } from './flags.ts';
import { generate } from './generate.ts';
import { helpText } from './help.ts';
import { info } from './info.ts';
import { train } from './train.ts';

// Errors that the user can correct. All other errors are defects and keep their stack.
const expected = [ArgumentError, FileError, HostError, ModelFileError, OutOfMemoryError, TextError, UsageError];

function version(): string {
  const path = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

async function run(command: Command): Promise<number> {
  switch (command.name) {
    case 'train':
      return train(command);
    case 'generate':
      return generate(command.model, command.options);
    case 'info':
      return info(command.model, command.options);
    case 'convert':
      return convert(command.from, command.to, command.options);
    case 'bench':
      // Loaded only here: the suite is larger than all other commands.
      return (await import('./bench/command.ts')).bench(command.files, command.options);
    case 'help':
      process.stdout.write(helpText(command.topic));
      return 0;
    case 'version':
      process.stdout.write(`${version()}\n`);
      return 0;
  }
}

// A reader such as `head` may close the pipe. The process then ends without an error message.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`tapeloop: ${new FileError('standard output', 'write to', error).message}\n`);
  process.exit(1);
});
// A closed terminal must not end a training run.
process.stderr.on('error', () => {});

try {
  process.exitCode = await run(parseCommand(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof Error) || !expected.some((kind) => error instanceof kind)) throw error;
  process.stderr.write(error instanceof UsageError ? `${error.message}\n` : `tapeloop: ${error.message}\n`);
  process.exitCode = error instanceof UsageError ? error.exitCode : 1;
}
