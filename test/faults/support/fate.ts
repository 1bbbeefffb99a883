/** What happens to one connection of a proxy. */

/**
 * A place in what one direction carries, where a trouble happens. WebSocket's frames are counted from 0, behind the upgrade;
 * 0 bytes into a frame is the boundary before it. A frame that is shorter is passed whole.
 */
export type Place = { byte: number } | { frame: number; into: number };

/** What can happen at a place. */
export type Trouble =
  /** Both directions end, after what was let through has arrived. */
  | { does: 'cut' }
  /** Both directions are reset: what is on its way may be lost. */
  | { does: 'reset' }
  /** This direction ends, and the other one goes on for so many milliseconds before it is cut. */
  | { does: 'half-close'; ms: number }
  /** This direction stands still for so many milliseconds; then it goes on, or both are cut. */
  | { does: 'stall'; ms: number; after: 'go on' | 'cut' };

/** What happens to one direction. */
export interface LegFate {
  trouble?: Trouble & { at: Place };
  /** Each piece of data comes so many milliseconds late. */
  delayMs?: number;
  /** Each piece of data is written in pieces of so many bytes. */
  splitBytes?: number;
}

/** The directions are from the client up to the server, and down from the server. */
export interface Fate {
  up?: LegFate;
  down?: LegFate;
}
