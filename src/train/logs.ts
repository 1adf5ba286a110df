/** Loss and metrics of a batch or an epoch, by name. */
export type Logs = Record<string, number>;
