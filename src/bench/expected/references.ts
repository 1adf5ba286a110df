// Written by `npm run bench:expected`; do not edit.

/** The run that scores are relative to: 100 is as fast as this. */
export const references: { readonly host: string; readonly date: string; readonly medians: Record<string, number> } = {
  host: '',
  date: '',
  medians: {},
};
