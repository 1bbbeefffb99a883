const any = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Parts of the real control plane that are known, and not here. */
export const elsewhere: readonly (readonly [path: RegExp, methods: readonly string[], what: string])[] = [
  [
    /^(\/v[23])?\/templates(\/|$)/,
    any,
    "building templates: define them in its option 'templates' (serve --config FILE)",
  ],
  [/^\/volume(s|content)(\/|$)/, any, 'volumes'],
  [/^\/secrets(\/|$)/, any, 'secrets'],
  [/^\/(teams|nodes|api-keys|access-tokens|admin)(\/|$)/, any, 'teams, keys and nodes'],
];
