/** What no page may ever see. Each is a text that nothing else contains. */

export const apiKey = 'e2b_5ec7e7aaaaaaaaaaaaaaaaaaaaaaaaaa';
export const signingSecret = 'signing-5ec7e7-of-more-than-thirty-two-bytes';
export const upstreamSecret = 'inside-5ec7e7-of-the-service';
/** What opens the ports of a private sandbox. */
export const trafficToken = 'traffic-5ec7e7-of-the-sandbox';
const envdTokenStart = 'envd-5ec7e7-';

export function envdToken(sandboxId: string): string {
  return `${envdTokenStart}${sandboxId}`;
}

/** The first of them that is in a text. */
export function secretIn(text: string): string | undefined {
  return [apiKey, signingSecret, upstreamSecret, trafficToken, envdTokenStart].find((secret) =>
    text.includes(secret),
  );
}
