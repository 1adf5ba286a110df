// Tests import modules, not the entry that makes names known.
import { knowAllNames } from '../src/train/all-names.ts';

knowAllNames();
