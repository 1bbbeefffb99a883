/** Bytes of a file. */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/**
 * What a `Range` header asks of a file of this size; none means the whole file. `unsatisfiable` begins behind the
 * end, `invalid` is no range of bytes. What is more than the file together is an attack or a mistake, and ignored.
 */
export function parseRanges(
  header: string | undefined,
  size: number,
): ByteRange[] | 'unsatisfiable' | 'invalid' {
  if (!header) return [];
  if (!header.startsWith('bytes=')) return 'invalid';
  const ranges: ByteRange[] = [];
  let beyond = false;
  for (const item of header.slice('bytes='.length).split(',')) {
    if (item.trim() === '') continue;
    const range = parseRange(item, size);
    if (range === 'invalid') return 'invalid';
    if (range === 'unsatisfiable') beyond = true;
    else ranges.push(range);
  }
  // Some clients add the header to every request; to one for an empty file, too.
  if (beyond && ranges.length === 0) return size === 0 ? [] : 'unsatisfiable';
  const total = ranges.reduce((sum, { length }) => sum + length, 0);
  return total > size ? [] : ranges;
}

function parseRange(item: string, size: number): ByteRange | 'unsatisfiable' | 'invalid' {
  const [, first = '', last = ''] = /^\s*(\d{0,18})\s*-\s*(\d{0,18})\s*$/.exec(item) ?? [];
  if (first === '') {
    if (last === '') return 'invalid';
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, length };
  }
  const start = Number(first);
  if (start >= size) return 'unsatisfiable';
  if (last === '') return { start, length: size - start };
  const end = Math.min(Number(last), size - 1);
  return Number(last) < start ? 'invalid' : { start, length: end - start + 1 };
}
