// workerd's handler. `/?steps=n` makes the model and trains n steps; any other request does nothing. The clock stands
// still meanwhile, so the times are taken outside.
import { firstSteps } from './steps.mjs';

export default {
  async fetch(request) {
    const count = new URL(request.url).searchParams.get('steps');
    return Response.json(count === null ? {} : await firstSteps(Number(count)));
  },
};
