/**
 * Checks of the wire: that the generated code is what `proto/` gives today, and that it describes the same messages as
 * the published `e2b` package. Prints what differs and ends with 1 when anything does.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { generateCodecs } from './generate-codecs.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const generated = join(root, 'src/wire/gen');
const messages = join(root, 'src/wire/messages');

/**
 * Generates again, aside, and compares.
 * @returns {string[]} what differs, one sentence each
 */
export function checkGenerated() {
  const aside = mkdtempSync(join(tmpdir(), 'e2b-edge-proto-'));
  try {
    const template = join(aside, 'buf.gen.yaml');
    const config = readFileSync(join(root, 'proto/buf.gen.yaml'), 'utf8');
    writeFileSync(
      template,
      config
        .replaceAll('../node_modules/', join(root, 'node_modules/'))
        .replace('../src/wire/gen', join(aside, 'gen')),
    );
    const buf = join(root, 'node_modules/.bin/buf');
    const ran = spawnSync(buf, ['generate', '--template', template], {
      cwd: join(root, 'proto'),
      encoding: 'utf8',
    });
    if (ran.status !== 0) return [`buf generate failed: ${ran.error?.message ?? ran.stderr}`];
    return compareFolders(join(aside, 'gen'), generated);
  } finally {
    rmSync(aside, { recursive: true });
  }
}

/**
 * Generates the client's message tables again, and compares.
 * @returns {string[]} what differs, one sentence each
 */
export function checkCodecs() {
  const expected = generateCodecs();
  return [...new Set([...expected.keys(), ...filesBelow(messages)])]
    .filter((name) => read(join(messages, name)) !== expected.get(name))
    .map((name) => `src/wire/messages/${name} is not current: run npm run generate`);
}

/**
 * Compares our descriptors with those inside the published `e2b` package.
 * @returns {Promise<string[]>} what differs, one sentence each
 */
export async function checkDescriptors() {
  const published = await descriptors(readFileSync(join(root, 'node_modules/e2b/dist/index.mjs'), 'utf8'));
  const ours = await descriptors(
    filesBelow(generated)
      .map((file) => readFileSync(join(generated, file), 'utf8'))
      .join('\n'),
  );
  if (published.size === 0) return ['no descriptor was found in the published e2b package'];
  const problems = [];
  for (const name of new Set([...published.keys(), ...ours.keys()])) {
    const [theirs, mine] = [published.get(name) ?? new Set(), ours.get(name) ?? new Set()];
    for (const fact of theirs) if (!mine.has(fact)) problems.push(`${name}: missing here: ${fact}`);
    for (const fact of mine) if (!theirs.has(fact)) problems.push(`${name}: not in e2b: ${fact}`);
  }
  return problems;
}

// A file descriptor as a set of facts, so that neither comments nor options nor the order of declarations count.
async function descriptors(source) {
  const { fromBinary } = await import('@bufbuild/protobuf');
  const { base64Decode } = await import('@bufbuild/protobuf/wire');
  const { FileDescriptorProtoSchema } = await import('@bufbuild/protobuf/wkt');
  const files = new Map();
  for (const [, encoded] of source.matchAll(/fileDesc\("([\w+/=]+)"/g)) {
    const file = fromBinary(FileDescriptorProtoSchema, base64Decode(encoded));
    const facts = new Set([`package ${file.package}`, `syntax ${file.syntax}`]);
    for (const message of file.messageType) addMessage(facts, message, `${file.package}.`);
    for (const enumeration of file.enumType) addEnum(facts, enumeration, `${file.package}.`);
    for (const service of file.service) {
      for (const method of service.method) {
        const [input, output] = [
          method.clientStreaming ? 'stream ' : '',
          method.serverStreaming ? 'stream ' : '',
        ];
        facts.add(
          `rpc ${service.name}.${method.name}(${input}${method.inputType}) → ${output}${method.outputType}`,
        );
      }
    }
    files.set(file.name, facts);
  }
  return files;
}

function addMessage(facts, message, scope) {
  const name = scope + message.name;
  facts.add(`message ${name}`);
  for (const field of message.field) {
    const oneof = message.oneofDecl[field.oneofIndex ?? -1]?.name;
    const group = field.proto3Optional
      ? 'optional '
      : oneof && has(field, 'oneofIndex')
        ? `oneof ${oneof} `
        : '';
    facts.add(
      `${name}.${field.number}: ${group}label ${field.label} type ${field.type} ${field.typeName} ${field.name}`,
    );
  }
  for (const inner of message.nestedType) addMessage(facts, inner, `${name}.`);
  for (const inner of message.enumType) addEnum(facts, inner, `${name}.`);
}

function addEnum(facts, enumeration, scope) {
  for (const value of enumeration.value) {
    facts.add(`enum ${scope}${enumeration.name}.${value.name} = ${value.number}`);
  }
}

// proto2 fields keep their default on the prototype: only an own property was on the wire.
function has(message, field) {
  return Object.hasOwn(message, field);
}

function compareFolders(expected, actual) {
  const names = new Set([...filesBelow(expected), ...filesBelow(actual)]);
  const problems = [];
  for (const name of names) {
    const [want, have] = [read(join(expected, name)), read(join(actual, name))];
    if (want !== have) problems.push(`src/wire/gen/${name} is not current: run npm run generate`);
  }
  return problems;
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const problems = [...checkGenerated(), ...checkCodecs(), ...(await checkDescriptors())];
  for (const problem of problems) console.error(problem);
  if (problems.length === 0) console.log('The generated code is current and equals what e2b publishes.');
  else process.exitCode = 1;
}
