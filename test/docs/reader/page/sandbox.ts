import { fetchSession, Sandbox } from 'e2b-edge/browser';

export const sandbox: Sandbox = await Sandbox.connect({
  session: ({ sandboxId }) => fetchSession('/api/sandbox', sandboxId === undefined ? {} : { sandboxId }),
});
