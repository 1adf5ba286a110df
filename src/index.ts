import { registerAllNames } from './models/register-all.ts';

export * from './lean.ts';

registerAllNames();
