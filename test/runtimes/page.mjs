// What a page loads: the suite, whose result or error goes back to the server that served it.
import { runSuite } from './suite.mjs';

const result = await runSuite().catch((error) => ({ error: `${error.name}: ${error.message}` }));
await fetch(`/result${location.search}`, { method: 'POST', body: JSON.stringify(result) });
