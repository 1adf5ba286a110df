// Node's process. The argument is the options of `init` as JSON.
import { firstSteps } from './steps.mjs';

console.log(JSON.stringify(await firstSteps(50, JSON.parse(process.argv[2]))));
