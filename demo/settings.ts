/** What the demo is told by the environment, on Deno and Bun. */

import type { SignIn } from './sign-in.ts';

export interface Settings extends SignIn {
  E2B_API_KEY: string;
  SESSION_KEY: string;
  /** For a cluster of your own or a local sandbox server. */
  E2B_API_URL: string | undefined;
  E2B_SANDBOX_URL: string | undefined;
  /** Where the page is found, as `https://sandbox.example`; several with commas. Default: on this machine. */
  ORIGINS: string | undefined;
  /** Default 3000. */
  PORT: number;
  /** Where `node demo/build.mjs` put the page. */
  PAGE_FOLDER: URL;
  /** The file of Deno KV. Default: Deno's own choice. */
  KV_PATH: string | undefined;
}

/** @param read gives a variable of the environment. */
export function readSettings(read: (name: string) => string | undefined): Settings {
  const needed = (name: string, what: string): string => {
    const value = read(name);
    if (value) return value;
    throw new Error(`${name} is not set: ${what}.`);
  };
  const settings: Settings = {
    E2B_API_KEY: needed('E2B_API_KEY', 'get a key at https://e2b.dev/dashboard?tab=keys'),
    SESSION_KEY: needed('SESSION_KEY', 'make one by `openssl rand -base64 32`'),
    E2B_API_URL: read('E2B_API_URL'),
    E2B_SANDBOX_URL: read('E2B_SANDBOX_URL'),
    ORIGINS: read('ORIGINS'),
    PORT: Number(read('PORT') ?? 3000),
    PAGE_FOLDER: new URL(`${read('PAGE_FOLDER') ?? './dist'}/`, import.meta.url),
    KV_PATH: read('KV_PATH'),
    OPEN_TO_ANYONE: read('OPEN_TO_ANYONE'),
  };
  if (settings.OPEN_TO_ANYONE === 'yes') return settings;
  return { ...settings, DEMO_PASSWORD: needed('DEMO_PASSWORD', 'the page asks for it') };
}

/** The origins that the page may have. */
export function originsOf({ ORIGINS }: Settings, port: number): string[] {
  return ORIGINS?.split(',') ?? [`http://127.0.0.1:${port}`, `http://localhost:${port}`];
}
