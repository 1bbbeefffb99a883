import { ApiError } from '../../http/replies.js';
import {
  type Fields,
  isAbsent,
  parseBoolean,
  parseList,
  parseObject,
  parseStrings,
  parseTimeout,
} from './fields.js';
import {
  type EgressSettings,
  type IngressSettings,
  parseEgress,
  parseIngress,
  parseNetwork,
} from './network-request.js';

/** What happens to a sandbox at its end time, and when it is asked for after that. */
export interface Lifecycle {
  readonly onTimeout: 'kill' | 'pause';
  /** Whether a pause at the end time keeps the processes. */
  readonly keepMemory: boolean;
  /** Whether a request to a paused sandbox wakes it. */
  readonly autoResume: boolean;
}

/** What a client asks of a new sandbox, as far as a local one can give it. */
export interface CreateRequest {
  /** As given: a template's name, or a snapshot's id, perhaps with a tag. */
  readonly template: string;
  readonly timeoutSeconds: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly envs: Readonly<Record<string, string>>;
  readonly lifecycle: Lifecycle;
  /** Whether whoever uses it needs its token. */
  readonly secure: boolean;
  readonly egress: EgressSettings;
  readonly ingress: IngressSettings;
}

/** In what the two versions of the endpoint differ. */
export interface CreateDefaults {
  readonly timeoutSeconds: number;
  /** `undefined` where the version knows no sandboxes without a token. */
  readonly secure: boolean | undefined;
}

export const createDefaults: Readonly<Record<'v1' | 'v2', CreateDefaults>> = {
  v1: { timeoutSeconds: 15, secure: false },
  v2: { timeoutSeconds: 300, secure: undefined },
};

/** Reads the body of `POST /sandboxes` and `POST /v2/sandboxes`. */
export function parseCreate(body: unknown, defaults: CreateDefaults): CreateRequest {
  const fields = parseObject(body, 'body');
  const { templateID } = fields;
  if (typeof templateID !== 'string' || templateID === '') {
    throw new ApiError(400, 'templateID is required and must be a string');
  }
  refuseUnsupported(fields);
  const secure =
    defaults.secure === undefined ? true : (parseBoolean(fields.secure, 'secure') ?? defaults.secure);
  const network = parseNetwork(fields.network);
  const ingress = parseIngress(network);
  if (ingress.allowPublicTraffic === false && !secure) {
    throw new ApiError(
      400,
      "You cannot create a sandbox without public access unless you enable secure envd access via 'secure' flag.",
    );
  }
  return {
    template: templateID,
    timeoutSeconds: parseTimeout(fields.timeout ?? defaults.timeoutSeconds, 'timeout', 1),
    metadata: parseStrings(fields.metadata, 'metadata'),
    envs: parseEnvs(fields.envVars),
    lifecycle: parseLifecycle(fields),
    secure,
    egress: parseEgress(network, fields.allow_internet_access, 'network.'),
    ingress,
  };
}

/** What would be promised but not kept. */
function refuseUnsupported({ iam, mcp, volumeMounts }: Fields): void {
  const tokens = isAbsent(iam) ? undefined : parseObject(iam, 'iam').tokens;
  if (!isAbsent(tokens) && Object.keys(parseObject(tokens, 'iam.tokens')).length > 0) {
    throw unsupported('identity tokens', 'iam');
  }
  if (!isAbsent(mcp)) throw unsupported('the MCP gateway', 'mcp');
  if (parseList(volumeMounts, 'volumeMounts')?.length) throw unsupported('volumes', 'volumeMounts');
}

function unsupported(what: string, field: string): ApiError {
  return new ApiError(501, `the local server has no support for ${what}: leave out '${field}'`);
}

function parseEnvs(value: unknown): Record<string, string> {
  const envs = parseStrings(value, 'envVars');
  for (const [name, text] of Object.entries(envs)) {
    if (name === '' || /[=\0]/.test(name)) {
      throw new ApiError(400, `envVars: ${JSON.stringify(name)} cannot be the name of a variable`);
    }
    if (text.includes('\0')) throw new ApiError(400, `envVars.${name} must not contain a NUL character`);
  }
  return envs;
}

function parseLifecycle({ autoPause, autoPauseMemory, autoResume: given }: Fields): Lifecycle {
  const pauses = parseBoolean(autoPause, 'autoPause') ?? false;
  const keepMemory = parseBoolean(autoPauseMemory, 'autoPauseMemory') ?? true;
  const resume = isAbsent(given) ? {} : parseObject(given, 'autoResume');
  const autoResume = parseBoolean(resume.enabled, 'autoResume.enabled') ?? false;
  if (!keepMemory && !pauses) {
    throw new ApiError(400, 'autoPauseMemory=false only applies when autoPause is true.');
  }
  if (!keepMemory && autoResume) {
    throw new ApiError(
      400,
      'autoPauseMemory=false (filesystem-only auto-pause) cannot be combined with autoResume: a filesystem-only snapshot cannot be auto-resumed by traffic and must be resumed explicitly.',
    );
  }
  return { onTimeout: pauses ? 'pause' : 'kill', keepMemory, autoResume };
}
