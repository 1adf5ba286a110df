import { knowAllNames } from './train/all-names.ts';

export * from './lean.ts';

knowAllNames();
