/** The `Content-Disposition` of a file to be shown: its name is quoted when needed, and encoded when not ASCII. */
export function inlineDisposition(name: string): string {
  if (/^[\w!#$%&'*+.^`{|}~-]+$/.test(name)) return `inline; filename=${name}`;
  if (/^[\t\x20-\x7e]*$/.test(name)) return `inline; filename="${name.replace(/["\\]/g, '\\$&')}"`;
  return `inline; filename*=utf-8''${encoded(name)}`;
}

/** RFC 2231: bytes stay that are neither special nor space. */
function encoded(name: string): string {
  return Array.from(Buffer.from(name), (byte) => {
    const character = String.fromCharCode(byte);
    if (/[\x21-\x7e]/.test(character) && !/[*'%()<>@,;:\\"/[\]?=]/.test(character)) return character;
    return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}
