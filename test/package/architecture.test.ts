import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { findCycle, readSources, type SourceModule } from './module-graph.js';

const modules = readSources();

/** What each room may import, itself aside. `src/*.ts` are the entries, which may re-export from any room. */
const mayImport: Record<string, string[]> = {
  errors: [],
  wire: ['errors'],
  transport: ['errors', 'wire'],
  channel: ['errors', 'wire', 'transport'],
  sandbox: ['errors', 'wire', 'transport', 'channel'],
  'control/api': ['errors', 'wire', 'transport'],
  control: ['errors', 'wire', 'transport', 'channel', 'sandbox', 'control/api'],
  broker: ['errors', 'wire', 'transport', 'control/api'],
  relay: ['errors', 'wire', 'channel'],
  hosts: ['errors', 'wire', 'transport', 'channel', 'broker', 'relay', 'control/api'],
  terminal: ['errors', 'wire'],
  local: ['errors', 'wire/gen'],
  // The program: it starts local servers, and uses the SDK like any other client.
  cli: ['errors', 'control', 'channel', 'sandbox', 'local'],
};

/** The same for the rooms of the local server: `envd` runs inside a sandbox, everything else outside. */
const localMayImport: Record<string, string[]> = {
  os: [],
  http: [],
  envd: ['os'],
  machine: ['os', 'envd/transport-settings.ts'],
  control: ['http', 'machine'],
  routing: ['http', 'machine', 'control'],
  cli: ['machine/host-report.ts', 'control/templates/load-templates.ts'],
};

/** What a room may know the types of beside. */
const mayImportTypes: Record<string, string[]> = {
  terminal: ['sandbox', 'channel'],
};

/** The rooms where Node's own modules are at home. */
const nodeRooms = /^(local[./]|cli\.ts$|hosts\/node[./-]|broker-node\.ts$)/;

const maxLines = 300;

/** What `npm run generate` writes. */
const generated = /^wire\/(gen|messages)\//;

function roomOf(path: string): string {
  if (path === 'errors.ts') return 'errors';
  if (/^control\/(api|create-marker|create-once|list-query|network-options|records)\.ts$/.test(path))
    return 'control/api';
  if (path.startsWith('wire/gen/')) return 'wire/gen';
  if (path.startsWith('local/cli/')) return 'cli';
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : 'entry';
}

function isAllowed(from: string, to: string, typeOnly: boolean): boolean {
  if (from === to || from === 'entry' || from === 'wire/gen') return true;
  const rooms = [...(mayImport[from] ?? []), ...(typeOnly ? (mayImportTypes[from] ?? []) : [])];
  return rooms.includes(to) || (to === 'wire/gen' && (from === 'wire' || rooms.includes('wire')));
}

function forbiddenImports(module: SourceModule): string[] {
  const from = roomOf(module.path);
  return module.imports
    .filter(({ target, typeOnly }) => target !== undefined && !isAllowed(from, roomOf(target), typeOnly))
    .map(({ target }) => `${module.path} imports ${target}`);
}

describe('the rooms', () => {
  test('are those of the design', () => {
    const unknown = modules.map(({ path }) => roomOf(path)).filter((room) => !isKnown(room));
    expect(unknown).toEqual([]);
  });

  test('import in one direction', () => {
    expect(modules.flatMap(forbiddenImports)).toEqual([]);
  });

  test('of the local server import in one direction', () => {
    const roomIn = (path: string): string | undefined => /^local\/([^/]+)\//.exec(path)?.[1];
    const forbidden = modules.flatMap(({ path, imports }) => {
      const from = roomIn(path);
      if (from === undefined) return [];
      const allowed = localMayImport[from] ?? [];
      const targets = imports.map(({ target }) => target ?? '');
      return targets
        .filter((target) => roomIn(target) !== undefined && roomIn(target) !== from)
        .filter((target) => !allowed.some((it) => it === roomIn(target) || `local/${it}` === target))
        .map((target) => `${path} imports ${target}`);
    });
    expect(forbidden).toEqual([]);
  });

  test('have no cycle', () => {
    expect(findCycle(modules)).toBeUndefined();
  });

  test('have no barrel inside', () => {
    const barrels = modules.filter(
      ({ path, reExports, imports }) =>
        roomOf(path) !== 'entry' && path.includes('/') && reExports > 0 && reExports === imports.length,
    );
    expect(barrels.map(({ path }) => path)).toEqual([]);
  });

  test('import only files that exist', () => {
    const paths = new Set(modules.map(({ path }) => path));
    const dangling = modules.flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => target !== undefined && !paths.has(target))
        .map(({ target }) => `${path}: ${target}`),
    );
    expect(dangling).toEqual([]);
  });
});

describe('the files', () => {
  test('use Node only where Node is', () => {
    const users = modules.filter(
      ({ path, imports, text }) =>
        !nodeRooms.test(path) &&
        (imports.some(({ specifier }) => specifier.startsWith('node:') || specifier === 'ws') ||
          /(?<![.\w])process\.(env|platform|on|version)\b/.test(withoutComments(text))),
    );
    expect(users.map(({ path }) => path)).toEqual([]);
  });

  test('leave protobuf’s reflection and Connect’s own code to the local server', () => {
    const users = modules.flatMap(({ path, imports }) =>
      imports
        .filter(
          ({ specifier, target }) =>
            target?.startsWith('wire/gen/') ||
            /^@connectrpc\/|^@bufbuild\/protobuf(?!\/wire$)/.test(specifier),
        )
        .map(() => path),
    );
    const clients = users.filter((path) => !/^(local|wire\/gen)\//.test(path));
    expect(clients).toEqual([]);
    expect(users.length).toBeGreaterThan(0);
  });

  test(`have at most ${maxLines} lines`, () => {
    const long = modules.filter(({ path, lines }) => !generated.test(path) && lines > maxLines);
    expect(long.map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
  });

  test('are named in kebab-case', () => {
    const odd = modules.filter(({ path }) => !/^[a-z0-9/-]+(_pb)?\.ts$/.test(path));
    expect(odd.map(({ path }) => path)).toEqual([]);
  });

  test('leave nothing for later', () => {
    const unfinished = modules.filter(({ text }) => /\b(TODO|FIXME|XXX|HACK)\b/.test(text));
    expect(unfinished.map(({ path }) => path)).toEqual([]);
  });

  test('are read at all', () => {
    expect(modules.length).toBeGreaterThan(20);
    expect(existsSync(new URL('../../src/errors.ts', import.meta.url))).toBe(true);
  });
});

function isKnown(room: string): boolean {
  return room in mayImport || room === 'entry' || room === 'wire/gen';
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}
