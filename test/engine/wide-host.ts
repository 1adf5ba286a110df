/** Whether `init({ wide: true })` works in this Node: V8 13 and newer join vectors. Node 22 has V8 12. */
export const canTurnOn = Number.parseFloat(process.versions.v8) >= 13;
