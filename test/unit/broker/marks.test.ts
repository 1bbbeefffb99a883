import { describe, expect, test } from 'vitest';
import { findMarked } from '../../../src/broker/find-marked.js';
import { endMark, isMarked, isReservedKey, newMark, reuseMark } from '../../../src/broker/sandbox-mark.js';
import type { ControlApi } from '../../../src/control/api.js';

const ann = { subject: 'ann', issuer: 'us' };

describe('a mark', () => {
  test('is the same in the next release, which has to find what this one made', () => {
    const own = { e2bEdgeSubject: 'ann', e2bEdgeIssuer: 'us' };
    expect(newMark(ann, 'base')).toEqual({ ...own, e2bEdgeTemplate: 'base' });
    expect(reuseMark(ann, true)).toEqual({ ...own, e2bEdgeReuse: 'own' });
    expect(reuseMark(ann, 'tests')).toEqual({ ...own, e2bEdgeReuse: 'named:tests' });
    expect(endMark(ann)).toEqual({ ...own, e2bEdgeEnd: 'session' });
  });

  test('is there where all of it is, whatever else is', () => {
    expect(isMarked({ ...reuseMark(ann, true), project: 'x' }, reuseMark(ann, true))).toBe(true);
    for (const metadata of [
      undefined,
      {},
      { e2bEdgeSubject: 'ann' },
      newMark({ ...ann, issuer: 'them' }, 'base'),
    ]) {
      expect(isMarked(metadata, newMark(ann, 'base'))).toBe(false);
    }
  });

  test.each<[string, boolean]>([
    ['e2bEdgeSubject', true],
    ['e2b-edge-create', true],
    ['E2B-EDGE', true],
    ['e2b', false],
    ['my-e2b-edge', false],
    ['e2b--edge', false],
  ])('has keys like %j: %s', (key, isReserved) => {
    expect(isReservedKey(key)).toBe(isReserved);
  });
});

describe('the sandboxes with a mark', () => {
  const at = (sandboxID: string, startedAt: string, metadata = newMark(ann, 'base')) => ({
    sandboxID,
    startedAt,
    metadata,
  });

  test('are those of all pages, the oldest first, and nobody else’s', async () => {
    const asked: unknown[] = [];
    const pages = [
      {
        items: [at('c', '2026-02'), at('e', '2026-01', newMark({ ...ann, subject: 'eve' }, 'base'))],
        nextToken: 't',
      },
      {
        items: [
          at('b', '2026-01'),
          at('d', '2026-03'),
          at('a', '2026-02'),
          at('f', '2026-05'),
          at('g', '2026-05'),
        ],
        nextToken: undefined,
      },
    ];
    const control = {
      list: async (query: unknown, options: unknown) => {
        asked.push([query, options]);
        return pages[asked.length - 1];
      },
    } as unknown as ControlApi;
    const { signal } = new AbortController();
    const found = await findMarked(control, newMark(ann, 'base'), signal);
    expect(found.map(({ sandboxID }) => sandboxID)).toEqual(['b', 'a', 'c', 'd', 'f', 'g']);
    const query = { metadata: newMark(ann, 'base'), state: ['running', 'paused'], order: 'asc' };
    expect(asked).toEqual([
      [query, { signal }],
      [{ ...query, nextToken: 't' }, { signal }],
    ]);
  });
});
