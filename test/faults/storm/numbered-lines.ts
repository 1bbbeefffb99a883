/** A program that prints numbered lines, so that what is missing or doubled can be told from what was received. */

import type { ChannelEvent } from '../../../src/channel/channel.js';

/** Prints numbers while it keeps the lines that are typed, until one of them is `end`. */
export const numberedLines = `cd
stty raw -echo
printf '\\2ready\\3\\n'
{ i=0; while [ ! -e numbers.end ]; do i=$((i + 1)); printf '%08d\\n' $i; sleep 0.001; done; printf 'last %08d\\n' $i; } &
while IFS= read -r line; do
  [ "$line" = end ] && break
  printf '%s\\n' "$line" >>typed
done
touch numbers.end
wait
exit 7
`;

export interface NumbersFound {
  /** Numbers that came a second time, or after a higher one. */
  doubled: number[];
  /** Numbers after which some are missing though no gap was declared there. */
  missing: number[];
  gaps: number;
  last: number;
}

/** What was received of the numbers, apart by each declared gap. */
export function findNumbers(events: readonly ChannelEvent[]): NumbersFound {
  const found: NumbersFound = { doubled: [], missing: [], gaps: 0, last: 0 };
  let text = '';
  let isAfterGap = false;
  const take = () => {
    // A gap may begin and end inside of a line: only whole lines count.
    for (const [, digits] of text.matchAll(/^(\d{8})\n/gm)) {
      const number = Number(digits);
      if (number <= found.last) found.doubled.push(number);
      else if (number !== found.last + 1 && !isAfterGap) found.missing.push(found.last);
      found.last = Math.max(found.last, number);
      isAfterGap = false;
    }
  };
  const decoder = new TextDecoder();
  for (const event of events) {
    if (event.type === 'output') text += decoder.decode(event.data);
    if (event.type !== 'gap') continue;
    take();
    // The rest of a line whose beginning is missing is none.
    text = '?';
    isAfterGap = true;
    found.gaps++;
  }
  take();
  return found;
}
