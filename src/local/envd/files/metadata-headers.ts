import type { IncomingHttpHeaders } from 'node:http2';
import { HttpError } from '../errors.js';
import { type Metadata, metadataFault } from '../filesystem/metadata.js';

const prefix = 'x-metadata-';

/** What `X-Metadata-{key}` headers attach to the files of an upload. Throws 400 when it cannot be stored. */
export function metadataOfHeaders(headers: IncomingHttpHeaders): Metadata {
  const metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(prefix) || name === prefix) continue;
    metadata.set(name.slice(prefix.length), String(value));
  }
  const fault = metadataFault(metadata);
  if (fault !== undefined) throw new HttpError(400, `invalid metadata: ${fault}`);
  return metadata;
}
