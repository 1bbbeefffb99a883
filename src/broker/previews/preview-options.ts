/** Where previews are: below the broker's own path, or each at an origin of its own. */

import { invalidOption } from '../invalid-option.js';

/** How what listens at a port of a sandbox is shown to pages. */
export interface PreviewOptions {
  /**
   * The origin of each preview, as `https://{port}-{sandboxId}.preview.example`, whose requests reach the broker as well.
   * It takes a wildcard certificate, and a domain that no cookies of yours are set for. With it an app in a sandbox has
   * everything that a site has. `http` is for names below `localhost`, in development.
   *
   * Without it a preview is below the broker's path, at an origin that is nobody's (`Content-Security-Policy: sandbox`):
   * right for documents, reports and forms; modules, absolute paths and storage do not work there.
   */
  origin?: string;
}

/** A place where every preview has an origin of its own. */
export interface PreviewOrigins {
  /** The origin of one. */
  of(sandboxId: string, port: number): string;
  /** Whose preview is at a host, the port of the server included. */
  match(host: string): { sandboxId: string; port: string } | undefined;
  /** The origin with the port left open. */
  template(sandboxId: string): string;
}

/** What follows the name of one preview begins with a dot. */
const shape = /^https?:\/\/\{port\}-\{sandboxId\}((?:\.[a-z0-9-]+)+)(:\d{1,5})?$/;

/**
 * Reads the option.
 * @throws {InvalidArgumentError} code `invalid_option`.
 */
export function readPreviewOrigins(
  options: PreviewOptions | undefined,
  origins: readonly string[],
): PreviewOrigins | undefined {
  const { origin: pattern } = options ?? {};
  if (pattern === undefined) return undefined;
  const [, domain, port = ''] = shape.exec(pattern) ?? [];
  if (domain === undefined || (pattern.startsWith('http:') && !isLocal(domain))) {
    throw invalidOption(
      'previews.origin',
      `"${pattern}" is not like "https://{port}-{sandboxId}.preview.example" (http for names below localhost alone)`,
    );
  }
  const above = origins.find((origin) => isBelow(domain, new URL(origin).hostname));
  if (above !== undefined) {
    throw invalidOption(
      'previews.origin',
      `"${pattern}" is below ${above}, whose cookies for its whole domain would reach the sandboxes: take another domain`,
    );
  }
  const template = (sandboxId: string): string => pattern.replace('{sandboxId}', sandboxId);
  const hosts = new RegExp(`^([1-9]\\d{0,4})-([a-z0-9]{1,64})${`${domain}${port}`.replaceAll('.', '\\.')}$`);
  return {
    template,
    of: (sandboxId, number) => template(sandboxId).replace('{port}', String(number)),
    match(asked) {
      const found = hosts.exec(asked);
      return found ? { sandboxId: found[2] as string, port: found[1] as string } : undefined;
    },
  };
}

/** Browsers let nobody set a cookie for all of `localhost`. */
function isBelow(domain: string, above: string): boolean {
  return !isLocal(domain) && domain.endsWith(`.${above}`);
}

function isLocal(domain: string): boolean {
  return domain.endsWith('.localhost');
}
