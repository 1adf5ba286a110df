// Colours of the style sheet, for drawing on a canvas.

const dark = matchMedia('(prefers-color-scheme: dark)');

export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export type Rgb = readonly [red: number, green: number, blue: number];

/** A colour of the style sheet as three numbers. */
export const rgb = (name: string): Rgb => colour(name).split(' ').map(Number) as unknown as Rgb;

export const onThemeChange = (listener: () => void): void => dark.addEventListener('change', listener);
