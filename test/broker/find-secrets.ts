/** Which secrets are in a text: as they are, in hex, in base64 at any offset, or percent-encoded. */
export function findSecrets(text: string, secrets: readonly string[]): string[] {
  const lower = text.toLowerCase();
  return secrets.filter((secret) => {
    const bytes = Buffer.from(secret);
    const hex = bytes.toString('hex');
    const percent = hex.replace(/../g, '%$&');
    if (text.includes(secret) || lower.includes(hex) || lower.includes(percent)) return true;
    return base64Forms(bytes).some((form) => text.includes(form));
  });
}

/** What of a text's base64 does not depend on what is before and after it, for each of the three ways to begin. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const all = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    const from = Math.ceil((offset * 8) / 6);
    const whole = all.slice(from, Math.floor(((offset + bytes.length) * 8) / 6));
    return [whole, whole.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
