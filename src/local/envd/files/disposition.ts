import { HttpError } from '../errors.js';

/** The parameters of a part's `Content-Disposition` that matter. */
export interface Disposition {
  readonly name: string | undefined;
  readonly filename: string | undefined;
}

/** `name="…"`, with escapes, or `name=…`; a `*` after the name says that the value is in the extended form. */
const parameters = /;\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))/g;
/** A backslash before anything else is part of a file name of Windows. */
const escapes = /\\([()<>@,;:\\"/[\]?=])/g;

/** Reads the headers of a part. Of one that is no form field nothing is told. Throws 400 when a value is not text. */
export function dispositionOf(headers: Buffer): Disposition {
  const line = /^content-disposition:(.*)$/im.exec(headers.toString('latin1'))?.[1] ?? '';
  const none: Disposition = { name: undefined, filename: undefined };
  if (!/^\s*form-data\s*(;|$)/i.test(line)) return none;
  const found: { name?: string; filename?: string } = {};
  for (const [, key = '', quoted, plain] of line.matchAll(parameters)) {
    const value = quoted?.replace(escapes, '$1') ?? plain ?? '';
    const name = key.toLowerCase();
    if (name === 'name' || name === 'filename') found[name] ??= utf8(value);
    // RFC 2231, which takes precedence.
    if (name === 'filename*') Object.assign(found, extended(value));
  }
  return { ...none, ...found };
}

function utf8(latin1: string): string {
  return text(() =>
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(latin1, 'latin1')),
  );
}

function extended(value: string): { filename?: string } {
  const encoded = /^utf-8'[^']*'(.*)$/i.exec(value)?.[1];
  return encoded === undefined ? {} : { filename: text(() => decodeURIComponent(encoded)) };
}

/** A name that is nearly right would be that of another file. */
function text(decode: () => string): string {
  try {
    return decode();
  } catch {
    throw new HttpError(400, 'the name of a part or of its file is not valid UTF-8');
  }
}
