/** A program of Deno. Nothing runs it: it is compiled. */

import { createBroker } from 'e2b-edge/broker/deno';

const broker = createBroker({
  apiKey: 'e2b_00',
  signingKeys: { current: 'a key of thirty-two characters…' },
  origins: ['https://app.example'],
  authorize: () => null,
});

Deno.serve(broker);
