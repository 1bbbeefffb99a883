/** Traces that answers carry, to tell at the page's end what they let out. */

/** What the upstream puts into everything that it tells of a place. */
export function placeMarker(path: string): string {
  return `place-${Buffer.from(path).toString('hex')}-`;
}

export function processMarker(pid: number): string {
  return `process-${pid}-`;
}

export function placesIn(text: string): string[] {
  return [...text.matchAll(/place-([0-9a-f]*)-/g)].map(([, hex = '']) => Buffer.from(hex, 'hex').toString());
}

export function processesIn(text: string): number[] {
  return [...text.matchAll(/process-(\d+)-/g)].map(([, pid]) => Number(pid));
}

/** In headers of a page that are not to arrive anywhere. */
export const strayMarker = 'stray-of-the-page';
