/** What errors with the same code are worded like: the real envd's words, and the local server's. */
export interface Wording {
  readonly name: string;
  readonly reason: string;
  /** Where both have a group, it has to hold the same in both. */
  readonly pairs: readonly (readonly [real: RegExp, local: RegExp])[];
}

export const wordings: readonly Wording[] = [
  {
    name: 'deadlines are worded differently',
    reason: 'connect-go’s words, and connect-es’s',
    pairs: [
      [/^parse timeout: /, /^protocol error: invalid connect timeout value: /],
      [/^context deadline exceeded$/, /^the operation timed out$/],
    ],
  },
  {
    name: 'messages that cannot be read are worded differently',
    reason: 'Go’s protojson, and protobuf-es; each names the field in its way',
    pairs: [
      [/^unmarshal message: /, /^cannot decode /],
      [/^unary request has zero messages$/, /^protocol error: missing input message/],
      [/^unary request has multiple messages$/, /^protocol error: received extra input message/],
      [
        /^protocol error: (?:promised \d+ bytes|incomplete envelope)/,
        /^protocol error: (?:premature|incomplete)/,
      ],
      [/^protocol error: sent compressed message/, /^received compressed envelope/],
      [/^unknown compression /, /^unknown compression /],
      [/^get decompressor: /, /^decompression failed/],
      [/^error streaming input: /, /^error streaming input: /],
    ],
  },
  {
    name: 'what is missing is named',
    reason: 'Go prints the name of a type of its program',
    pairs: [
      [
        /^invalid input type \*process\.ProcessSelector$/,
        /^invalid process selector: neither pid nor tag is set$/,
      ],
      [/^invalid (input|event) type <nil>$/, /^invalid (input|event) type$/],
      [/^path .* not a directory: %!w\(<nil>\)$/, /^path .* not a directory$/],
    ],
  },
  {
    name: 'NUL bytes are named',
    reason: 'the kernel’s “invalid argument” does not say which',
    pairs: [
      [/fork\/exec \/bin\/sh: invalid argument$/, /(argument|path) contains a NUL byte$/],
      [/exec: environment variable contains NUL$/, /an environment variable contains a NUL byte$/],
    ],
  },
  {
    name: 'paths that cannot be expanded',
    reason: 'envd prints the path after it was emptied',
    pairs: [[/failed to expand path '' for user '\w+': (.*)$/, /cannot expand user-specific home dir$/]],
  },
  {
    name: 'system errors do not name the call',
    reason: 'Go puts the system call and its paths before the kernel’s words, which are the same',
    pairs: [
      [/^error getting file info: l?stat .*: (.+)$/, /^error getting file info: (?:\/.*: )?(.+)$/],
      [/^error checking if path exists '.*': stat .*: (.+)$/, /^error checking if path exists '.*': (.+)$/],
      [/^error renaming: rename .*: (.+)$/, /^error renaming .*?: (.+)$/],
      [/^error removing file or directory: \w+ .*: (.+)$/, /^error removing file or directory .*?: (.+)$/],
      [/^error resolving symlink: (?:lstat .*: )?(.+)$/, /^error listing directory .*?: (.+)$/],
      [/^failed to create directory: mkdir .*: (.+)$/, /^failed to create directory .*?: (.+)$/],
      [/^error opening file: open .*: (.+)$/, /^error opening file: (.+)$/],
      // Of the path that was asked for, and of its clean form.
      [/^path is not a directory: /, /^path is not a directory: /],
      // Go’s rename refuses any directory.
      [/^error finalizing compose: rename .*: file exists$/, /^error composing '.*': is a directory$/],
      [/^error creating destination file: open .*: (.+)$/, /^error composing '.*': (.+)$/],
    ],
  },
  {
    name: 'what does not exist is named once',
    reason: 'Go adds the system call and the kernel’s words to it',
    pairs: [
      [/^file not found: lstat (.*): no such file or directory$/, /^file not found: (.*)$/],
      [/^path not found: lstat .*: no such file or directory$/, /^directory not found: .*$/],
      [/^path (.*) not found: stat .*: no such file or directory$/, /^path (.*) not found$/],
      [/^source file not found: rename .*: no such file or directory$/, /^source file not found: [^:]*$/],
      [/^source file not found: ([^:]*)$/, /^source file not found: ([^:]*): [a-z ]+$/],
    ],
  },
  {
    name: 'bodies that are no JSON',
    reason: 'Go’s parser says where',
    pairs: [
      [/^invalid request body: /, /^request body is not valid JSON$/],
      [/^invalid request body: json: cannot unmarshal/, /^source_paths must be a list/],
      [/^source_paths must not be empty$/, /^source_paths must be a list of at least one path$/],
      [/^source path ".*" cannot be the same as destination$/, /^source path '.*' is the destination$/],
      [/^error parsing Accept-Encoding: /, /^error parsing Accept-Encoding: /],
      [/gzip reader: (?:unexpected )?EOF$/, /gzip reader: gzip: invalid header$/],
    ],
  },
];
