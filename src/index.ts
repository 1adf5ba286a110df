import { knowAllNames } from './models/all-names.ts';

export * from './lean.ts';

knowAllNames();
