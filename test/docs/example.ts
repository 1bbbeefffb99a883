/** Where an example's code runs: a server, a web page, or a Cloudflare Worker. */
export type Place = 'node' | 'page' | 'worker';

/** A block of code in the documentation, with those that continue it. */
export interface Example {
  /** Below the repository's folder. */
  file: string;
  place: Place;
  /** The code as the reader sees it, block by block, and what is hidden before it. */
  parts: Part[];
  /** Why it is compiled only. */
  notRun?: string;
  /** The name of the error that it must end with. */
  throws?: string;
}

export interface Part {
  code: string;
  /** Of the first line of the code, counted from 1. */
  line: number;
}

/** As in `README.md:34`, for the name of a test. */
export function nameOf({ file, parts }: Example): string {
  return `${file}:${parts.map(({ line }) => line).join(',')}`;
}
