// The entry `tapeloop/sequences`: structured outputs, attention and rarer cells. Importing it registers their names for
// saved models.
export {};
