/**
 * The place of your application's own sign-in. A page of yours has a cookie, or a token of an identity provider; whatever
 * it is, `authorize` makes a name of it that stays. Here it is HTTP's own sign-in, by one password for all who know it.
 */

/** The settings of it. */
export interface SignIn {
  /** Whoever knows it may come, by any name. */
  DEMO_PASSWORD?: string | undefined;
  /** `yes` lets whoever finds the page start sandboxes at your cost. */
  OPEN_TO_ANYONE?: string | undefined;
}

/** Who sent a request; undefined for strangers. */
export async function userOf(request: Request, settings: SignIn): Promise<string | undefined> {
  if (settings.OPEN_TO_ANYONE === 'yes') return 'demo';
  const { DEMO_PASSWORD: password } = settings;
  const [, credentials] = /^Basic ([\w+/]+=*)$/.exec(request.headers.get('authorization') ?? '') ?? [];
  if (!password || !credentials) return undefined;
  const [, user, given] = /^([^:]+):(.*)$/s.exec(decoded(credentials)) ?? [];
  return given !== undefined && (await digest(given)) === (await digest(password)) ? user : undefined;
}

/** The answer at which a browser asks for a name and a password. */
export function askToSignIn(): Response {
  return new Response('Sign in.\n', {
    status: 401,
    headers: { 'www-authenticate': 'Basic realm="sandbox", charset="UTF-8"' },
  });
}

function decoded(base64: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
  } catch {
    return '';
  }
}

/** Compared in the place of the text, so that how long it takes tells nothing. */
async function digest(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).join();
}
