/** What an answer of a broker gives that opens something: it is for the page that asked, and for nobody's log. */
export function givenSecrets(headers: Headers, body: string): string[] {
  const cookies = headers.getSetCookie().map((cookie) => /^__\w+-e2b-preview=([^;]+)/.exec(cookie)?.[1]);
  return [...cookies, ...inBody(body)].filter((secret) => secret !== undefined);
}

function inBody(body: string): (string | undefined)[] {
  let given: { token?: unknown; invitation?: unknown; url?: unknown; direct?: { headers?: object } };
  try {
    given = Object(JSON.parse(body)) as typeof given;
  } catch {
    return [];
  }
  const { token, invitation, url, direct } = given;
  const signature =
    typeof url === 'string' && URL.canParse(url) && new URL(url).searchParams.get('signature');
  return [token, invitation, signature, ...directSecrets(direct)].filter(
    (value) => typeof value === 'string',
  );
}

/** The tokens among the headers of a direct session. */
export function directSecrets(direct: { headers?: object } | undefined): string[] {
  const headers = Object.entries(direct?.headers ?? {}) as [string, string][];
  return headers.filter(([name]) => /token|authorization/i.test(name)).map(([, value]) => value);
}
