import { createRequire } from 'node:module';

/** What is used of `@napi-rs/xattr`. It follows no symlink that a path ends with. */
interface Xattrs {
  listAttributesSync(path: string): string[];
  getAttributeSync(path: string, name: string): Buffer | null;
  setAttributeSync(path: string, name: string, value: string): void;
  removeAttributeSync(path: string, name: string): void;
}

const errnoNames: Readonly<Record<string, string>> = {
  '1': 'EPERM',
  '2': 'ENOENT',
  '7': 'E2BIG',
  '13': 'EACCES',
  '28': 'ENOSPC',
  '61': 'ENODATA',
  '95': 'ENOTSUP',
  '122': 'EDQUOT',
};

let loaded: Xattrs | false | undefined;

/** The binding; `undefined` on a machine that there is none for, where nothing has attributes. */
export function xattrs(): Xattrs | undefined {
  if (loaded === undefined) {
    try {
      loaded = createRequire(import.meta.url)('@napi-rs/xattr') as Xattrs;
    } catch {
      loaded = false;
    }
  }
  return loaded || undefined;
}

/** The name of the system error of one of its functions, which have the number in their text only. */
export function xattrErrno(error: unknown): string | undefined {
  const number = /\(os error (\d+)\)/.exec(error instanceof Error ? error.message : '')?.[1];
  return number === undefined ? undefined : errnoNames[number];
}
