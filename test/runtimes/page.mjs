// The script of a page: it runs the suite and posts its result or error to the server of the page.
import { runSuite } from './suite.mjs';

const result = await runSuite().catch((error) => ({ error: `${error.name}: ${error.message}` }));
await fetch(`/result${location.search}`, { method: 'POST', body: JSON.stringify(result) });
