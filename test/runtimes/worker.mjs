// A request handler for workerd.
import { runSuite } from './suite.mjs';

export default {
  async fetch() {
    const result = await runSuite().catch((error) => ({ error: `${error.name}: ${error.message}` }));
    return Response.json(result);
  },
};
