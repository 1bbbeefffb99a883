/** Where the two packages answer differently, and why that is meant. */

export interface Difference {
  /** The line that the official package makes the program print. */
  official: string;
  /** The line that this one does; absent: none. */
  ours?: string;
  why: string;
}

/** By the name of the program. */
export const differences: Record<string, Difference[]> = {
  'bad-calls': [
    {
      official: 'no template SandboxError [SandboxError]',
      ours: 'no template NotFoundError [NotFoundError, SandboxError]',
      why: 'What is not there is a NotFoundError everywhere; it is a SandboxError still.',
    },
  ],
  snapshots: [
    {
      official: 'SandboxError [SandboxError]',
      ours: 'NotFoundError [NotFoundError, SandboxError]',
      why: 'The same for a snapshot.',
    },
  ],
  links: [
    {
      official: 'file, link',
      ours: 'dangling, file, link',
      why: 'A link that leads nowhere is neither a file nor a directory. The official package leaves it out of lists.',
    },
  ],
  list: [
    {
      official: 'Error []',
      ours: 'InvalidArgumentError [InvalidArgumentError, SandboxError]',
      why: 'Every error here has a class and a code; whoever catches an Error catches it still.',
    },
  ],
  urls: [
    {
      official: 'expired 401',
      why: 'An address that has never been good is refused when it is asked for.',
    },
    {
      official: 'no error',
      ours: 'InvalidArgumentError [InvalidArgumentError, SandboxError]',
      why: 'The same: the refusal.',
    },
  ],
};

/** What the official package exports and this one does not: it is for servers, which can have both. */
export const absent: Record<string, string[]> = {
  'building templates': [
    'BuildError',
    'FileUploadError',
    'LogEntry',
    'LogEntryEnd',
    'LogEntryStart',
    'ReadyCmd',
    'Template',
    'TemplateBase',
    'defaultBuildLogger',
    'waitForFile',
    'waitForPort',
    'waitForProcess',
    'waitForTimeout',
    'waitForURL',
  ],
  volumes: ['Volume', 'VolumeError', 'VolumeFileType', 'VolumeNotFoundError', 'VolumePathNotFoundError'],
  secrets: ['Secret', 'SecretError', 'SecretNotFoundError', 'SecretPaginator'],
  'the package’s own inside': ['ApiClient', 'ConnectionConfig'],
};
