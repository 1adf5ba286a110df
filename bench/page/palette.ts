// Colours and shapes that are told apart without full colour vision: after Okabe and Ito. They are in report.css.
import { GROUPS, type Group } from '../../src/bench/results.ts';

const SHAPES = ['circle', 'square', 'triangle', 'diamond', 'down', 'plus', 'star', 'bar'] as const;

/** The class of a mark of a group: each has a colour and a shape of its own. */
export const markOf = (group: Group): string => {
  const i = GROUPS.indexOf(group);
  return `mark colour-${i} ${SHAPES[i]}`;
};

/** The name of a colour of the style sheet for the line of a number. */
export const lineColour = (i: number): string => `series-${i % 8}`;

/** Dashes tell lines apart where colours do not. */
export const lineDash = (i: number): number[] => [[], [8, 4], [2, 3], [8, 3, 2, 3]][i % 4]!;
