import { ArgumentError, expectType, shown } from '../../checks/argument-error.ts';
import type { Json } from '../../io/model-file.ts';
import { customName } from '../../registry/custom-objects.ts';
import { NameTable } from '../../registry/name-table.ts';

/**
 * A learning rate that depends on how far training has come.
 *
 * One of the caller's own needs `at` alone to train with. A model that is saved with it is loaded with it in
 * `customObjects`.
 */
export interface Schedule {
  readonly name: string;
  /** The learning rate of the update after `iteration` batches; a function of this number alone. */
  at(iteration: number): number;
  /** Options that make an equal schedule. */
  config?(): ScheduleConfig;
}

/** Lists have an `at`, too, but no name. */
export const isSchedule = (given: Schedule | undefined): boolean =>
  typeof given?.at === 'function' && typeof given.name === 'string';

export type ScheduleConfig = { readonly name: string; readonly [option: string]: Json | undefined };

/** Schedules by name. */
export const scheduleTable = /* @__PURE__ */ new NameTable<Schedule>('schedule');

/**
 * Options that make an equal schedule; of one of the caller's own without `config` its name. @see
 * keras.optimizers.schedules.serialize
 */
export function serialize(schedule: Schedule): ScheduleConfig {
  if (!isSchedule(schedule)) throw new ArgumentError(`serialize: schedule expected one, got ${shown(schedule)}`);
  if (schedule.config !== undefined) expectType('serialize: config of the schedule', schedule.config, 'a function');
  return schedule.config?.() ?? { name: customName(schedule.name) };
}

/**
 * The schedule that a configuration describes.
 *
 * @throws ArgumentError for an unknown name or an option out of its range.
 * @see keras.optimizers.schedules.deserialize
 */
export function deserialize(config: ScheduleConfig): Schedule {
  const { name, ...options } = config ?? {};
  return scheduleTable.makerOf(name)(options as never);
}
