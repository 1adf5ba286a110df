// Registers all names, because tests import modules and not the entry that registers them.
import { registerAllNames } from '../src/models/register-all.ts';

registerAllNames();
