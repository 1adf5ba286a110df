import {
  constant,
  cosineDecay,
  cosineDecayRestarts,
  exponentialDecay,
  inverseTimeDecay,
  linearWarmup,
  piecewiseConstantDecay,
  polynomialDecay,
} from './index.ts';
import { deserialize, type ScheduleConfig } from './schedule.ts';

/** The functions that make schedules from their JSON options, by name. */
export const schedules = {
  constant,
  exponentialDecay,
  inverseTimeDecay,
  piecewiseConstantDecay,
  polynomialDecay,
  cosineDecay,
  cosineDecayRestarts,
  linearWarmup: ({ after, ...options }: { after: number | ScheduleConfig; warmupSteps: number }) =>
    linearWarmup({ ...options, after: typeof after === 'number' ? after : deserialize(after) }),
} satisfies Partial<Record<keyof typeof import('./index.ts'), unknown>>;
