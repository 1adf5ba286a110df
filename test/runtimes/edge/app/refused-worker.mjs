// A worker bundled without the condition `workerd`. It has the kernels as bytes, which workerd does not compile.
import { engine, init } from 'tapeloop';

export default {
  async fetch() {
    const said = [];
    for (const use of [init, async () => engine()]) {
      await use().catch(({ name, message }) => said.push(`${name}: ${message}`));
    }
    return Response.json({ said });
  },
};
