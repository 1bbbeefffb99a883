import * as sdk from 'e2b';

/** Every name that a program can import as a value, but for those of builds, volumes and secrets. */
const names = [
  'ALL_TRAFFIC',
  'AuthenticationError',
  'CommandExitError',
  'E2B',
  'FileNotFoundError',
  'FileType',
  'FilesystemEventType',
  'Git',
  'GitAuthError',
  'GitUpstreamError',
  'InvalidArgumentError',
  'NotEnoughSpaceError',
  'NotFoundError',
  'RateLimitError',
  'Sandbox',
  'SandboxError',
  'SandboxNotFoundError',
  'ServiceBusyError',
  'TemplateError',
  'TimeoutError',
  'getSignature',
];
const all = sdk as unknown as Record<string, unknown>;
for (const name of names) console.log(name, typeof all[name]);

/** What `instanceof` says of each error, and what it is called. */
for (const name of names.filter((one) => one.endsWith('Error') && one !== 'CommandExitError')) {
  const error = new (all[name] as new (message: string) => Error)('said');
  const kinds = names.filter(
    (one) => one.endsWith('Error') && error instanceof (all[one] as new () => Error),
  );
  console.log(error.name, error.message, error instanceof Error, kinds.join(' '));
}
