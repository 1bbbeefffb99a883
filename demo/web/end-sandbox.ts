import { fetchSession } from 'e2b-edge/browser';

/** Ends a sandbox, by ending a session of it that may do so. */
export async function endSandbox(brokerUrl: string, sandboxId: string): Promise<void> {
  const { token, urls } = await fetchSession(brokerUrl, { sandboxId });
  await fetch(urls.session, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } });
}
