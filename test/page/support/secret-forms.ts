/**
 * The forms in which a secret may hide: as it is, in hexadecimal, in base64 and base64url wherever it starts in a group of
 * three bytes, and percent-encoded.
 */
export function secretForms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const forms = [
    secret,
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    encodeURIComponent(secret),
  ];
  for (const before of [0, 1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(before), bytes]);
    const encoded = shifted.toString('base64');
    // The first and the last group depend on what stands beside the secret.
    const inner = encoded.slice(before === 0 ? 0 : 4, encoded.length - (shifted.length % 3 === 0 ? 0 : 4));
    forms.push(inner, inner.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return [...new Set(forms)];
}

/** The forms of the secret that the haystack contains. */
export function formsFound(secret: string, haystack: Buffer | string): string[] {
  const bytes = Buffer.from(haystack);
  return secretForms(secret).filter((form) => bytes.includes(form));
}
