// The benchmark suite in a request handler of workerd, as docs/guides/benchmark-suite.md writes it. The clock stands
// still while a handler computes, and goes on when it has waited.
import { runBench } from 'tapeloop/bench';

export default {
  async fetch(request) {
    const options = JSON.parse(new URL(request.url).searchParams.get('options') ?? '{}');
    const tick = () => new Promise((resolve) => setTimeout(resolve, 0));
    const report = await runBench({ ...options, tick }).catch((error) => ({
      error: `${error.name}: ${error.message}`,
    }));
    return Response.json(report);
  },
};
