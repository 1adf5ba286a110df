// The help texts. Flags and defaults come from the tables of flags.ts.
import {
  benchFlags,
  type CommandName,
  convertFlags,
  type Flag,
  generateFlags,
  infoFlags,
  trainFlags,
} from './flags.ts';

const overview = `tapeloop: train recurrent networks on text, and let them write

Usage
  tapeloop train [FILE]       train a character model on FILE, or on tapeloop's own source text
  tapeloop generate MODEL     write text with a saved model
  tapeloop info MODEL         say what a model file is
  tapeloop convert IN OUT     write a model in another format
  tapeloop bench              measure this engine of WebAssembly, and verify it
  tapeloop COMMAND --help     the flags of a command
  tapeloop --version

Examples
  tapeloop train
  tapeloop train shakespeare.txt --cell gru --hidden 256 --epochs 5
  tapeloop generate tapeloop-out/model.safetensors --prompt "ROMEO:"
  tapeloop convert tapeloop-out/model.safetensors model.onnx --check
`;

interface CommandHelp {
  usage: string;
  about: string;
  flags: Record<string, Flag<unknown>>;
  notes?: string;
}

const commands: Record<CommandName, CommandHelp> = {
  train: {
    usage: 'tapeloop train [FILE] [flags]',
    about: `Trains a character model on the text in FILE (UTF-8), or on tapeloop's own source text.`,
    flags: trainFlags,
    notes: `Ctrl-C ends training after the step at hand and saves; a second Ctrl-C ends it at once.

With --resume MODEL, what is not on the command line is as MODEL has it, and --out is its folder;
FILE is to be given again. --steps and --epochs count from the first step of the first run, so that
a run that was cut short and resumed ends with the same model, bit for bit, as one that was not.
Another text, --batch, --time or --split starts at the text's beginning. --log appends.`,
  },
  generate: {
    usage: 'tapeloop generate MODEL [flags]',
    about: 'Writes text with a saved model, one character after the other.',
    flags: generateFlags,
  },
  info: {
    usage: 'tapeloop info MODEL',
    about: `Says what a model file is, tapeloop's own, ONNX, Keras's, PyTorch's, TF.js's, NAM's or RTNeural's:
layers, parameters, inputs, outputs, states; of a character model its vocabulary and training.`,
    flags: infoFlags,
  },
  convert: {
    usage: 'tapeloop convert IN OUT [flags]',
    about: `Reads IN, told by what it holds: tapeloop's own file, ONNX, Keras's, PyTorch's, the model.json of
TF.js, NAM's or RTNeural's. Writes OUT, told by the end of its name:

  .safetensors .st   tapeloop's own          .pt .pth          a checkpoint of PyTorch
  .onnx              ONNX                    .py               the module of PyTorch for it
  .keras             Keras                   .nam              a capture of Neural Amp Modeler
  .weights.h5        weights alone, Keras    .rtneural.json    RTNeural
  .json              TF.js, its weight       .stream           a compiled stream, of an ONNX
                     files beside it                           model with states

Loss, metrics and optimizer of a compiled model go along to tapeloop, Keras, TF.js and PyTorch. Prints
what was found. What cannot be expressed is one error, and OUT is then not written.`,
    flags: convertFlags,
  },
  bench: {
    usage:
      'tapeloop bench [flags]\n       tapeloop bench --compare BEFORE.json AFTER.json [flags]\n       tapeloop bench --html PAGE.html REPORT.json...',
    about: `Runs recurrent networks as a benchmark of this engine of WebAssembly: kernels, cells, models, streams,
life cycle, memory and threads. Each result is verified to the bit; the exit code is 1 if one is wrong.
A score of 100 is as fast as the reference run. The guide: docs/guides/benchmark-suite.md.`,
    flags: benchFlags,
  },
};

/** The help text of one command, or the overview. It ends with a newline. */
export function helpText(topic: CommandName | undefined): string {
  if (topic === undefined) return overview;
  const { usage, about, flags, notes } = commands[topic];
  const rows = Object.entries(flags).map(([name, flag]) => {
    const short = flag.short === undefined ? '' : `-${flag.short}, `;
    const left = `  ${short}--${name}${flag.placeholder === undefined ? '' : ` ${flag.placeholder}`}`;
    const shown = typeof flag.fallback === 'number' || (typeof flag.fallback === 'string' && flag.fallback !== '');
    return { left, right: shown ? `${flag.help} [${flag.fallback}]` : flag.help };
  });
  const width = Math.max(...rows.map(({ left }) => left.length)) + 2;
  const lines = rows.map(({ left, right }) => left.padEnd(width) + right);
  return `${usage}\n\n${about}\n\nFlags\n${lines.join('\n')}\n${notes === undefined ? '' : `\n${notes}\n`}`;
}
