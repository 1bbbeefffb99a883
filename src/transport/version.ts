import { TemplateError } from '../errors.js';

/** What a sandbox's envd must at least be for what is asked of it. */
export const envdVersions = {
  /** Anything at all: a sandbox with an older one is of no use. */
  sandbox: '0.1.0',
  recursiveWatch: '0.1.4',
  metrics: '0.1.5',
  /** Token and signed URLs. */
  secured: '0.2.0',
  diskMetrics: '0.2.4',
  /** The choice whether a command has an input; before, all do. */
  stdinChoice: '0.3.0',
  /** A template's own user; before, `user` is spelled out. */
  defaultUser: '0.4.0',
  snapshots: '0.5.0',
  stdinClose: '0.5.2',
  gzipDownload: '0.5.3',
  /** Uploads as they are, also compressed; before, as forms. */
  rawUpload: '0.5.7',
  networkRules: '0.5.13',
  volumes: '0.5.14',
  fileMetadata: '0.6.2',
  watchEntries: '0.6.3',
  watchNetworkMounts: '0.6.4',
} as const;

/** The error of all calls that need a newer envd than the sandbox has. */
export function envdTooOld(what: string, least: string, version: string): TemplateError {
  return new TemplateError(
    `${what} needs envd ${least} and the sandbox has ${version}: build its template again.`,
    { code: 'envd_too_old' },
  );
}

/** Whether a version such as `0.5.7` is another one or newer. What follows a `-` or `+` does not count. */
export function isVersionAtLeast(version: string, least: string): boolean {
  const a = numbers(version);
  const b = numbers(least);
  for (let i = 0; i < 3; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function numbers(version: string): number[] {
  return (version.split(/[-+]/, 1)[0] ?? '').split('.').map((part) => Number(part) || 0);
}
