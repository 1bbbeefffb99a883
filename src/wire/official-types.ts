/** What the official package calls plain values. */

export type Username = string;
export type Stdout = string;
export type Stderr = string;
export type PtyOutput = Uint8Array;
