// Tests import modules, not the entry that makes names known.
import { registerAllNames } from '../src/models/register-all.ts';

registerAllNames();
