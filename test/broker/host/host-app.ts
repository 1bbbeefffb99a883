/** What all host programs are made of: a broker for each configuration, and what a case can ask of the program. */

import {
  type Authorization,
  type BrokerEvent,
  type BrokerOptions,
  createBroker,
  type Intent,
  type Broker as PlainBroker,
  type Revocation,
} from 'e2b-edge/broker';
import {
  type Configuration,
  type ConfigurationName,
  configurations,
  type HostParts,
} from './configurations.js';
import { type HostSetup, pageOrigin } from './setup.js';
import { putClockAhead } from './shifted-clock.js';

/** An event as a case gets it: an error among it is its text. */
export interface LoggedEvent extends BrokerEvent {
  configuration: ConfigurationName;
}

export interface HostApp<Broker, Env> {
  /** The broker that a request is for. */
  brokerAt(url: string): Broker | undefined;
  /** Answers `/test/…`; undefined for what is not for the program itself. */
  control(request: Request, env?: unknown): Promise<Response> | undefined;
  /** The one for any runtime: it is at `/plain`. */
  plain: PlainBroker<Env>;
}

/** The header that says what `authorize` answers. */
export const authorizationHeader = 'x-test-authorization';

/**
 * @param make makes a broker of the runtime.
 * @param setupOf what the program was told, by the environment that the options get.
 */
export function createHostApp<Broker, Env>(
  make: (options: BrokerOptions<Env>) => Broker,
  setupOf: (env: Env) => HostSetup,
  parts: HostParts<Env>,
): HostApp<Broker, Env> {
  const events: LoggedEvent[] = [];
  const brokers = new Map<string, Broker>();
  const answers = new Map<string, Authorization | null>();

  const log = (configuration: ConfigurationName, event: BrokerEvent): void => {
    const logged = JSON.stringify({ ...event, configuration }, (_key, value: unknown) =>
      value instanceof Error ? textOf(value) : value,
    );
    events.push(JSON.parse(logged) as LoggedEvent);
    console.log(logged);
  };

  const configured: Record<ConfigurationName, Configuration<Env>> = configurations(parts);
  const optionsOf = (name: ConfigurationName): BrokerOptions<Env> => {
    const { upstream = 'local', ...more } = configured[name];
    const upstreamOf = (env: Env) => setupOf(env).upstreams[upstream];
    return {
      apiKey: (env) => upstreamOf(env).apiKey,
      apiUrl: (env) => upstreamOf(env).apiUrl,
      sandboxUrl: (env) => upstreamOf(env).sandboxUrl,
      signingKeys: (env) => ({ current: setupOf(env).signingKey }),
      origins: [pageOrigin],
      // Many cases are of one user.
      limits: { mintsPerMinute: 1000 },
      basePath: `/${name}`,
      authorize: (request, intent) => authorize(answers, name, request, intent),
      logger: (event) => log(name, event),
      ...more,
    };
  };
  for (const name of Object.keys(configured) as ConfigurationName[]) {
    if (name !== 'plain') brokers.set(name, make(optionsOf(name)));
  }

  return {
    plain: createBroker(optionsOf('plain')),
    brokerAt: (url) => {
      const { hostname, pathname } = new URL(url);
      const isPreview = hostname.endsWith('.preview.localhost');
      return brokers.get(isPreview ? 'previews' : (pathname.split('/')[1] ?? ''));
    },
    control: (request, env) => {
      const { pathname } = new URL(request.url);
      if (pathname === '/test/events') return Promise.resolve(Response.json(events));
      if (pathname === '/test/clock') return setClock(request);
      if (pathname === '/test/revoke') return revoke(brokers, request, env);
      return pathname === '/test/answers' ? setAnswers(answers, request) : undefined;
    },
  };
}

/** Revokes, as an application does: `{ configuration, what }`. */
async function revoke<Broker>(
  brokers: Map<string, Broker>,
  request: Request,
  env: unknown,
): Promise<Response> {
  const { configuration, what } = (await request.json()) as { configuration: string; what: Revocation };
  const broker = brokers.get(configuration) as Pick<PlainBroker, 'revoke'>;
  await broker.revoke(what, { env });
  return Response.json(null);
}

/** Puts the program's clock ahead, by so many milliseconds. */
async function setClock(request: Request): Promise<Response> {
  putClockAhead((await request.json()) as number);
  return Response.json(null);
}

/** Says what the header says; without one what was said last for the subject. */
function authorize(
  answers: Map<string, Authorization | null>,
  configuration: string,
  request: Request,
  intent: Intent,
): Authorization | null {
  const header = request.headers.get(authorizationHeader);
  if (header !== null) {
    const answer = JSON.parse(header) as Authorization | null;
    if (answer) answers.set(`${configuration}/${answer.subject}`, answer);
    return answer;
  }
  return intent.action === 'refresh' ? (answers.get(`${configuration}/${intent.subject}`) ?? null) : null;
}

/** Changes what is said from now on, as `{ "<configuration>/<subject>": … }`. */
async function setAnswers(answers: Map<string, Authorization | null>, request: Request): Promise<Response> {
  const given = (await request.json()) as Record<string, Authorization | null>;
  for (const [key, answer] of Object.entries(given)) answers.set(key, answer);
  return Response.json(null);
}

function textOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\nbecause of ${textOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
