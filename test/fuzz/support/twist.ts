import { gzipSync } from 'node:zlib';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import type { BodyTrick, Twist } from '../arbitraries/twists.js';
import { bytesOf, type Draft } from './draft.js';

/** Makes one thing wrong with a request. */
export function twisted(draft: Draft, twist: Twist): Draft {
  switch (twist.at) {
    case 'header': {
      const others = draft.headers.filter(([name]) => name !== twist.name);
      if (twist.how === 'remove') return { ...draft, headers: others };
      const kept = twist.how === 'set' ? others : draft.headers;
      return { ...draft, headers: [...kept, [twist.name, twist.value]] };
    }
    case 'address':
      return { ...draft, path: twistedPath(draft.path, twist.how, twist.text) };
    case 'method':
      return { ...draft, method: twist.how };
    case 'body':
      return twistedBody(draft, twist.how, twist.number);
  }
}

function twistedPath(path: string, how: Extract<Twist, { at: 'address' }>['how'], text: string): string {
  switch (how) {
    case 'query':
      return `${path}${path.includes('?') ? '&' : '?'}${text}`;
    case 'sandbox':
      return path.replace(/^\/(envd|pty|ports)\/[^/?]*/, `/$1/${text}`);
    case 'upper':
      return path.toUpperCase();
    case 'encode':
      return path.replace(/[A-Za-z](?=[^/?]*(\?|$))/, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
    case 'double':
      return path.replace('/', '//');
    case 'suffix':
      return path.replace(/(?=\?|$)/, '/');
  }
}

function twistedBody(draft: Draft, how: BodyTrick, number: number): Draft {
  const { body = new Uint8Array() } = draft;
  const isStream = draft.headers.some(
    ([name, value]) => name === 'content-type' && value.includes('connect+'),
  );
  const inside = isStream ? body.subarray(5) : body;
  const wrapped = (bytes: Uint8Array): Draft => ({
    ...draft,
    body: isStream ? encodeEnvelope(0, bytes) : new Uint8Array(bytes),
  });
  const more = (...bytes: number[]): Draft => wrapped(new Uint8Array([...inside, ...bytes]));
  const asText = (change: (text: string) => string): Draft =>
    wrapped(bytesOf(change(new TextDecoder().decode(inside))));
  switch (how) {
    case 'cut':
      return { ...draft, body: body.slice(0, number % (body.length + 1)) };
    case 'append':
      return { ...draft, body: new Uint8Array([...body, number % 256]) };
    case 'flip':
      return {
        ...draft,
        body: body.map((byte, at) => (at === number % body.length ? byte ^ (1 << (number % 8)) : byte)),
      };
    case 'empty':
      return { ...draft, body: new Uint8Array() };
    case 'flags':
      return { ...draft, body: new Uint8Array([[1, 2, 3, 128][number % 4] ?? 1, ...body.subarray(1)]) };
    case 'two envelopes':
      return { ...draft, body: new Uint8Array([...body, ...body]) };
    case 'wrong length':
      return { ...draft, body: new Uint8Array([0, 0, 0, number % 256, number, ...body.subarray(5)]) };
    case 'gzip':
      return wrapped(gzipSync(inside));
    case 'unknown field':
      // Field 99 with two bytes; or field 15 of a kind that no message has.
      return number % 2 ? more(0x9a, 0x06, 2, 0x68, 0x69) : more(0x7d, 1, 2, 3, 4);
    case 'field again':
      // Field 1 to 4 a second time, as a text or message, or as a number.
      return number % 2 ? more(((number % 4) + 1) * 8 + 2, 1, 0x78) : more(((number % 4) + 1) * 8, 1);
    case 'group':
      return more(0x0b, 0x0a, 1, 0x78, 0x0c);
    case 'endless varint':
      return more(0x08, ...Array<number>(12).fill(0xff), 1);
    case 'key twice':
      return asText((text) =>
        text.replace(/^\{("[^"]*":("[^"]*"|\{))/, '{"path":"/etc/passwd","process":{},"tag":"mine",$1'),
      );
    case 'proto key':
      return asText((text) =>
        text.replace('{', '{"__proto__":{"tag":"mine","path":"/etc/passwd","pty":{}},'),
      );
    case 'snake case':
      return asText((text) =>
        text.replace('{', '{"include_entry":true,"includeEntry":false,"allow_network_mounts":true,'),
      );
    case 'deep':
      return asText((text) =>
        text.replace('{', `{"deep":${'['.repeat(number * 50)}${']'.repeat(number * 50)},`),
      );
    case 'mark of order':
      return wrapped(new Uint8Array([0xef, 0xbb, 0xbf, ...inside]));
    case 'trailing text':
      return asText((text) => `${text}{"tag":"mine"}`);
    case 'two bytes a letter':
      return wrapped(new Uint8Array(Buffer.from(new TextDecoder().decode(inside), 'utf16le')));
    case 'huge':
      return {
        ...draft,
        body: new Uint8Array([...body, ...new Uint8Array(number % 20 === 0 ? 2_000_000 : 70_000)]),
      };
    case 'null':
      return asText(() => 'null');
    case 'list':
      return asText((text) => `[${text}]`);
    case 'breaks off':
      return { ...draft, breaksOff: true };
  }
}
