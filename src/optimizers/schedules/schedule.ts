import { ArgumentError, expectType, shown } from '../../checks/argument-error.ts';
import type { Json } from '../../io/model-file.ts';
import { customName } from '../../registry/custom-objects.ts';
import { NameTable } from '../../registry/name-table.ts';

/**
 * A learning rate as a function of the number of batches trained so far.
 *
 * A custom schedule needs only `name` and `at`. To load a model that was saved with a custom schedule, give the
 * schedule in `customObjects`.
 */
export interface Schedule {
  readonly name: string;
  /** The learning rate of the update after `iteration` batches. It depends on this number alone. */
  at(iteration: number): number;
  /** Options from which an equal schedule can be made. */
  config?(): ScheduleConfig;
}

/** Whether a value is a schedule. Arrays also have a method `at`, but no name. */
export const isSchedule = (given: Schedule | undefined): boolean =>
  typeof given?.at === 'function' && typeof given.name === 'string';

export type ScheduleConfig = { readonly name: string; readonly [option: string]: Json | undefined };

/** Schedules by name. */
export const scheduleTable = /* @__PURE__ */ new NameTable<Schedule>('schedule');

/**
 * The configuration of a schedule, as JSON; for a custom schedule without `config`, its name alone.
 *
 * @param schedule made by a function of `schedules`, or a custom one.
 * @returns a new object, from which `deserialize` makes an equal schedule.
 * @throws ArgumentError if `schedule` has no `at` or no name, or if its `config` is not a function.
 * @see keras.optimizers.schedules.serialize
 * @example
 * schedules.serialize(schedules.constant({ learningRate: 0.1 })); // { learningRate: 0.1, name: 'constant' }
 */
export function serialize(schedule: Schedule): ScheduleConfig {
  if (!isSchedule(schedule)) throw new ArgumentError(`serialize: schedule expected one, got ${shown(schedule)}`);
  if (schedule.config !== undefined) expectType('serialize: config of the schedule', schedule.config, 'a function');
  return schedule.config?.() ?? { name: customName(schedule.name) };
}

/**
 * Makes the schedule that a configuration describes.
 *
 * @param config the name of a schedule, and its options.
 * @returns a schedule. It has no state and may be shared.
 * @throws ArgumentError for an unknown name, an unknown option or an option out of its range.
 * @see keras.optimizers.schedules.deserialize
 * @example
 * schedules.deserialize({ name: 'constant', learningRate: 0.1 }).at(0); // 0.1
 */
export function deserialize(config: ScheduleConfig): Schedule {
  const { name, ...options } = config ?? {};
  return scheduleTable.makerOf(name)(options as never);
}
