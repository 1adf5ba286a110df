// Tests import modules, not the entry that makes names known.
import { knowAllNames } from '../src/models/all-names.ts';

knowAllNames();
