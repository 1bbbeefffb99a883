import { xattrErrno, xattrs } from './xattrs.js';

/** What users attach to files, by its lower-case keys. */
export type Metadata = ReadonlyMap<string, string>;

const prefix = 'user.e2b.';
/** In bytes: the kernel lets the name of an attribute have 255. */
const longestKey = 255 - prefix.length;
/** In bytes of names and values: about what ext4 keeps of one file. */
const largestSet = 4096;

/** What is wrong with metadata that cannot be stored; `undefined` when nothing is. */
export function metadataFault(metadata: Metadata): string | undefined {
  let total = 0;
  for (const [key, value] of metadata) {
    if (key.length > longestKey) return `metadata key "${key}" exceeds ${longestKey} bytes`;
    const fault = unprintable('key', key) ?? unprintable(`value for key "${key}"`, value);
    if (fault) return fault;
    total += prefix.length + key.length + value.length;
  }
  return total > largestSet ? `total metadata size ${total} exceeds ${largestSet} bytes` : undefined;
}

/** Both come from headers, where Node makes a character of each byte. */
function unprintable(what: string, text: string): string | undefined {
  const offset = text.search(/[^\x20-\x7e]/);
  if (offset < 0) return undefined;
  const byte = text.charCodeAt(offset).toString(16).padStart(2, '0');
  return `metadata ${what} contains non-printable-ASCII byte 0x${byte} at offset ${offset}`;
}

/** The metadata of a file, which is not a symlink. Empty where it cannot be read. */
export function readMetadata(path: string): Metadata {
  const metadata = new Map<string, string>();
  const binding = xattrs();
  if (!binding) return metadata;
  try {
    for (const name of binding.listAttributesSync(path)) {
      if (!name.startsWith(prefix)) continue;
      const value = textOf(binding.getAttributeSync(path, name));
      if (value !== undefined) metadata.set(name.slice(prefix.length), value);
    }
  } catch {
    // It is an addition to what else is known of the file.
  }
  return metadata;
}

/** Programs set attributes, too: what is no text would make a message impossible to write. */
function textOf(value: Buffer | null): string | undefined {
  if (!value) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return undefined;
  }
}

/** Replaces all metadata of a file, which is not a symlink. Does nothing on a file system that has no attributes. */
export function writeMetadata(path: string, metadata: Metadata): void {
  const binding = xattrs();
  if (!binding) return;
  try {
    for (const name of binding.listAttributesSync(path)) {
      if (name.startsWith(prefix) && !metadata.has(name.slice(prefix.length))) {
        binding.removeAttributeSync(path, name);
      }
    }
    for (const [key, value] of metadata) binding.setAttributeSync(path, prefix + key, value);
  } catch (error) {
    const code = xattrErrno(error);
    if (code === 'ENOTSUP') return;
    throw Object.assign(new Error(error instanceof Error ? error.message : String(error)), { code });
  }
}
