/** A session in strict mode, and another one on the same sandbox that may do all. */

import type { Grant, Session } from 'e2b-edge/broker';
import type { Sandbox } from 'e2b-edge/browser';
import { bearer, everything, sendAsBrowser } from './broker-client.js';
import type { BrokerStage } from './broker-stage.js';

export const home = '/home/user';
export const prefix = `${home}/in`;
export const within: NonNullable<Grant['files']> = [
  { op: 'read', prefix },
  { op: 'write', prefix },
];

export interface Strict {
  /** Another session on the same sandbox, that may do all, as root. */
  root: Sandbox;
  session: Session;
  sandbox: Sandbox;
  /** Asks for a file as it is. */
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  put(path: string, body: BodyInit, headers?: Record<string, string>): Promise<Response>;
}

/** What `setUp` does, root does as a shell. */
export async function strictly(stage: BrokerStage, setUp = 'true', files = within): Promise<Strict> {
  const broker = stage.at('default');
  const grants: Grant = { ...everything, user: 'root' };
  const made = await broker.session({ grants });
  const root = await broker.connect(made);
  await root.commands.run(`mkdir -p ${prefix} && chown user: ${prefix} && cd ${prefix} && ${setUp}`);
  const session = await broker.session({
    sandbox: { id: made.sandboxId },
    grants: { files, strict: true, user: 'user', commands: 'run' },
  });
  const request = async (path: string, init: RequestInit) =>
    sendAsBrowser(`${session.urls.envd}/files?${new URLSearchParams({ path })}`, {
      ...init,
      headers: { ...bearer(session), 'accept-encoding': 'identity', ...(init.headers as object) },
    });
  return {
    root,
    session,
    sandbox: await broker.connect(session),
    get: (path, headers = {}) => request(path, { headers }),
    put: (path, body, headers = {}) =>
      request(path, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/octet-stream', ...headers },
        ...({ duplex: 'half' } as object),
      }),
  };
}

/** How a request was refused. */
export const codeOf = async (response: Response): Promise<string> => {
  const { code } = (await response.json()) as { code: string };
  return `${response.status} ${code}`;
};
/** How a call was. */
export const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );
