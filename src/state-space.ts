// The entry `tapeloop/state-space`: models with memory that are no networks.
export {};
