// An array of layers of a WaveNet, in the options of older and of newer `.nam` files. Source: NAM/wavenet/model.cpp of
// https://github.com/sdatkinson/NeuralAmpModelerCore.
import { ArgumentError } from '../../checks/argument-error.ts';
import { clip, describe, expectList, expectObject, isObject, type Parsed } from '../../io/parsed-json.ts';
import { expectKnownKeys, expectSize } from '../json-file.ts';
import type { WaveNetActivation, WaveNetArray, WaveNetModulated } from '../wavenet/structure.ts';
import { activationIn } from './activations.ts';

/** Modulations by the input, by their names in files. */
export const films: Readonly<Record<string, WaveNetModulated>> = {
  conv_pre_film: 'convPre',
  conv_post_film: 'convPost',
  input_mixin_pre_film: 'mixinPre',
  input_mixin_post_film: 'mixinPost',
  activation_pre_film: 'activationPre',
  activation_post_film: 'activationPost',
  head1x1_post_film: 'headPost',
};

/** Whether a part of newer files, such as a modulation, is off. */
const isOff = (value: unknown): boolean =>
  value == null || value === false || (isObject(value) && value.active === false);

/** Options that are supported only where they change nothing. */
const neutral: Readonly<Record<string, (value: unknown) => boolean>> = {
  groups_input: (value) => value === 1,
  groups_input_mixin: (value) => value === 1,
  groups_1x1: (value) => value === 1,
  slimmable: isOff,
  // Players apply it after a blend alone, trainers always.
  layer1x1_post_film: isOff,
};

/** A value for each layer, from one for all or a list. */
function eachOf(count: number, what: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) return new Array(count).fill(value);
  if (value.length === count) return value;
  throw new ArgumentError(`${what} expected ${count} values, got ${value.length}`);
}

/** One value where all are equal, else the list. */
const shared = <T>(values: readonly T[]): T | readonly T[] =>
  values.every((value) => JSON.stringify(value) === JSON.stringify(values[0])) ? values[0]! : values;

/** The value that all layers of an array have. */
function sharedBy(count: number, what: string, value: unknown): unknown {
  const values = eachOf(count, what, value);
  const texts = new Set(values.map((each) => JSON.stringify(each)));
  if (texts.size === 1) return values[0];
  throw new ArgumentError(`${what} expected ${count} equal values, got ${clip([...texts].join(' and '))}`);
}

function flag(what: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new ArgumentError(`${what} expected true or false, got ${describe(value)}`);
}

/** The head of an array, in the names of older files or in one object. */
function headOf(what: string, { head, head_size, head_bias, head_kernel_size = 1 }: Parsed) {
  if (head == null)
    return {
      headSize: expectSize(`${what}.head_size`, head_size),
      headBias: flag(`${what}.head_bias`, head_bias),
      headKernelSize: expectSize(`${what}.head_kernel_size`, head_kernel_size),
    };
  const { out_channels, kernel_size = 1, bias, ...rest } = expectObject(`${what}.head`, head);
  expectKnownKeys(`${what}.head`, rest, []);
  return {
    headSize: expectSize(`${what}.head.out_channels`, out_channels),
    headBias: flag(`${what}.head.bias`, bias),
    headKernelSize: expectSize(`${what}.head.kernel_size`, kernel_size),
  };
}

/** The gate of an array, in the name of older files or by its mode. */
function gateOf(what: string, count: number, { gated, gating_mode, secondary_activation }: Parsed) {
  if (gating_mode == null) {
    if (secondary_activation != null)
      throw new ArgumentError(`${what}.secondary_activation expected gating_mode beside it, got none`);
    return { gated: flag(`${what}.gated`, gated) };
  }
  const mode = sharedBy(count, `${what}.gating_mode`, gating_mode);
  if (mode === 'none') return { gated: false };
  if (mode !== 'gated' && mode !== 'blended')
    throw new ArgumentError(`${what}.gating_mode expected "none", "gated" or "blended", got ${describe(mode)}`);
  const second = sharedBy(count, `${what}.secondary_activation`, secondary_activation) ?? 'Sigmoid';
  const gateActivation = activationIn(`${what}.secondary_activation`, second);
  return {
    gated: mode === 'gated' ? true : ('blended' as const),
    ...(gateActivation !== 'sigmoid' && { gateActivation }),
  };
}

/** A product of newer files that may be off, without groups. Its other options; undefined if it is off. */
function productOf(what: string, value: unknown): Parsed | undefined {
  if (isOff(value)) return undefined;
  const { active, groups = 1, ...rest } = expectObject(what, value);
  if (active !== true) throw new ArgumentError(`${what}.active expected true or false, got ${describe(active)}`);
  if (groups !== 1) throw new ArgumentError(`${what}.groups expected 1, got ${describe(groups)}`);
  return rest;
}

function filmsOf(what: string, given: Parsed): WaveNetArray['film'] {
  const found = Object.entries(films).flatMap(([name, place]) => {
    const value = given[name];
    if (isOff(value)) return [];
    const { active = true, shift = true, groups = 1, ...rest } = expectObject(`${what}.${name}`, value);
    expectKnownKeys(`${what}.${name}`, { ...rest, ...(groups !== 1 && { groups }) }, []);
    flag(`${what}.${name}.active`, active);
    return [[place, flag(`${what}.${name}.shift`, shift) ? 'shift' : 'scale'] as const];
  });
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

/** The array of layers in a file. Throws `ArgumentError` for what it cannot read. */
export function arrayOf(what: string, given: Parsed): WaveNetArray {
  const own = [
    ['input_size', 'condition_size', 'head_size', 'head_bias', 'head_kernel_size', 'head', 'channels', 'bottleneck'],
    ['kernel_size', 'kernel_sizes', 'dilations', 'activation', 'gated', 'gating_mode', 'secondary_activation'],
    ['layer1x1', 'head1x1', ...Object.keys(films)],
  ].flat();
  const rest = Object.entries(given).filter(
    ([name, value]) => !(Object.hasOwn(neutral, name) && neutral[name]!(value)),
  );
  expectKnownKeys(what, Object.fromEntries(rest), own);
  const dilations = expectList(`${what}.dilations`, given.dilations).map((dilation, i) =>
    expectSize(`${what}.dilations[${i}]`, dilation),
  );
  const count = dilations.length;
  const sizes = given.kernel_size ?? given.kernel_sizes;
  if (given.kernel_size != null && given.kernel_sizes != null)
    throw new ArgumentError(`${what} expected kernel_size or kernel_sizes, got both`);
  const kernelName = `${what}.${given.kernel_size == null && given.kernel_sizes != null ? 'kernel_sizes' : 'kernel_size'}`;
  const channels = expectSize(`${what}.channels`, given.channels);
  const bottleneck = expectSize(`${what}.bottleneck`, given.bottleneck ?? channels);
  const { headKernelSize, ...head } = headOf(what, given);
  const residual = given.layer1x1 === undefined || productOf(`${what}.layer1x1`, given.layer1x1) !== undefined;
  const toHead = productOf(`${what}.head1x1`, given.head1x1);
  const film = filmsOf(what, given);
  return {
    channels,
    kernelSize: shared(eachOf(count, kernelName, sizes).map((size) => expectSize(kernelName, size))),
    dilations,
    ...head,
    activation: shared<WaveNetActivation>(
      eachOf(count, `${what}.activation`, given.activation).map((each) => activationIn(`${what}.activation`, each)),
    ),
    ...gateOf(what, count, given),
    ...(headKernelSize > 1 && { headKernelSize }),
    ...(bottleneck !== channels && { bottleneck }),
    ...(!residual && { residual }),
    ...(toHead && { headChannels: expectSize(`${what}.head1x1.out_channels`, toHead.out_channels) }),
    ...(film && { film }),
  };
}
