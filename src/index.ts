// The entry `tapeloop`: `tapeloop/lean` with its optional parts, such as objects by name, hints in errors and streams.
import { registerAllNames } from './models/register-all.ts';

export * from './lean.ts';

registerAllNames();
