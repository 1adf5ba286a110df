import { generateFlags, infoFlags, parseCommand, trainFlags } from '../../../src/cli/flags.ts';
import { type Target, Violation } from '../target.ts';

const flags = [trainFlags, generateFlags, infoFlags].flatMap((each) => Object.keys(each)).map((name) => `--${name}`);
const values = [
  ...[
    '',
    '0',
    '1',
    '-1',
    '1.5',
    '1e3',
    '1e999',
    '0x10',
    'NaN',
    'Infinity',
    '3 ',
    ' 3',
    '4294967295',
    '4294967296',
    '-0',
  ],
  ...[
    'lstm',
    'gru',
    'LSTM',
    'file.txt',
    '-',
    '--',
    '---',
    '-q',
    '-h',
    '-x',
    '-qh',
    '__proto__',
    'constructor',
    '\u{1f600}',
    '=',
    'a=b',
  ],
  ...[
    '--no-quiet',
    '--seed=',
    '--seed=1',
    '--cell=gru',
    '--lr=-1',
    '--__proto__=1',
    '--constructor',
    '--toString=2',
    '--quiet=1',
    '\0',
  ],
];

export const target: Target = {
  name: 'flags',
  share: 0.5,
  generate(random) {
    const command = random.pick(['train', 'train', 'generate', 'info', '--help', '--version', 'trian', '']);
    const word = (): string => {
      const kind = random.below(4);
      if (kind === 0) return random.pick(flags);
      if (kind === 1) return `${random.pick(flags)}=${random.pick(values)}`;
      return random.pick(values);
    };
    return [command, ...random.list(0, 6, word)];
  },
  run(input) {
    const argv = Array.isArray(input) ? input.map(String) : [];
    const command = parseCommand(argv);
    if (command.name !== 'train') return;
    const { steps, epochs, seed } = command.options;
    if ((steps === undefined) === (epochs === undefined)) throw new Violation('not exactly one of steps and epochs');
    if (!Number.isInteger(seed)) throw new Violation('a seed that is no whole number');
  },
};
