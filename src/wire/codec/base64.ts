export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(text);
}

/** Also the alphabet for URLs, as JSON may have either. @throws {SyntaxError} */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  let decoded: string;
  try {
    decoded = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  } catch {
    throw new SyntaxError('it is not base64');
  }
  return Uint8Array.from(decoded, (one) => one.charCodeAt(0));
}
