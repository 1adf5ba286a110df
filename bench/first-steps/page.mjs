// The script of a page, which posts its times to the server of the page.
import { firstSteps } from './steps.mjs';

const result = await firstSteps(50).catch((error) => ({ error: `${error.name}: ${error.message}` }));
await fetch('/result', { method: 'POST', body: JSON.stringify(result) });
