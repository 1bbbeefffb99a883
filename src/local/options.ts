import { InvalidArgumentError } from '../errors.js';
import { checkRecipes, type TemplateRecipe } from './control/templates/template-recipe.js';
import type { IsolationKind } from './machine/isolation.js';
import { checkLimits, type Limits } from './machine/limits.js';

/** How `startLocalServer` is to be run. */
export interface LocalServerOptions {
  /** TCP port; 0, the default, takes a free one. */
  port?: number;
  /** Loopback address to listen on. Default `127.0.0.1`. */
  host?: '127.0.0.1' | '::1' | 'localhost';
  /** The key of the control plane: `e2b_` and hexadecimal digits. Default: a new one at each start. */
  apiKey?: string;
  /** Whether any other key is accepted as well, for programs whose key is not to be changed. Default false. */
  anyApiKey?: boolean;
  /**
   * Origins of web pages that may use the control plane, such as `http://localhost:5173`. Default: none. The
   * sandboxes themselves can be used from any page that has a sandbox's token.
   */
  origins?: readonly string[];
  /**
   * `bubblewrap` gives each sandbox a namespace of its own, and is an error where that is impossible; `none` runs
   * its processes as yourself; `auto`, the default, takes the first that works.
   */
  isolation?: IsolationKind | 'auto';
  /**
   * The most that one sandbox may use, as far as this machine has control groups to give: processes and threads
   * (`processes`, default 1024), mebibytes of memory (`memoryMb`, default no limit), processors (`cpus`, 0.5
   * being half of one; default no limit). A template may ask for others.
   */
  limits?: Partial<Limits>;
  /**
   * What `create('my-template')` means here, by name. `base`, this machine's own programs and empty homes, is
   * there unless it is given. Relative paths are relative to the current directory.
   */
  templates?: Readonly<Record<string, TemplateRecipe>>;
  /**
   * Whether to be also what the SDKs look for in their debug mode (`E2B_DEBUG=true`, `debug: true`): one sandbox at
   * localhost:49983, which whoever can connect to this machine's loopback may use without a token. Its ports are
   * reached from outside only where there is no isolation. Default false.
   */
  debug?: boolean;
  /** Told of what is not an error but should be known. Default: nobody. */
  logger?: { warn(message: string): void };
}

/** The options with every default filled in. */
export type CheckedOptions = Required<Omit<LocalServerOptions, 'apiKey' | 'logger'>> &
  Pick<LocalServerOptions, 'apiKey' | 'logger'>;

const hosts: readonly string[] = ['127.0.0.1', '::1', 'localhost'];
const isolations: readonly string[] = ['auto', 'bubblewrap', 'none'];

/** Throws `InvalidArgumentError` that names the option which is wrong. */
export function checkOptions(options: LocalServerOptions): CheckedOptions {
  const { port = 0, host = '127.0.0.1', origins = [], isolation = 'auto', limits = {} } = options;
  const { apiKey, anyApiKey = false, templates = {}, debug = false, logger } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw invalid('port', `port must be a whole number from 0 to 65535, not ${port}`);
  }
  if (!hosts.includes(host)) {
    throw invalid(
      'host',
      `host must be one of ${hosts.join(', ')}, not '${host}': whoever reaches it gets a shell`,
    );
  }
  if (!isolations.includes(isolation)) {
    throw invalid('isolation', `isolation must be one of ${isolations.join(', ')}, not '${isolation}'`);
  }
  if (apiKey !== undefined && !/^e2b_[0-9a-f]+$/.test(apiKey)) {
    throw invalid('api_key', "apiKey must be 'e2b_' and hexadecimal digits, as the official SDKs demand");
  }
  for (const origin of origins) {
    if (!isOrigin(origin)) {
      throw invalid(
        'origin',
        `origin '${origin}' must be scheme, host and port only, as http://localhost:5173`,
      );
    }
  }
  checkLimits(limits);
  const recipes = checkRecipes(templates, 'templates', process.cwd());
  return {
    port,
    host,
    origins,
    isolation,
    limits,
    anyApiKey,
    debug,
    templates: recipes,
    ...(apiKey && { apiKey }),
    ...(logger && { logger }),
  };
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

function invalid(option: string, message: string): InvalidArgumentError {
  return new InvalidArgumentError(message, { code: `invalid_${option}` });
}
