import type { Fate, LegFate, Place, Trouble } from './fate.js';
import { seeded } from './random.js';

type Random = ReturnType<typeof seeded>;

/** A stall may be shorter or longer than the client's patience. */
const longestStallMs = 600;
const longestHalfCloseMs = 300;
const mostFrames = 6;

/** What becomes of one connection of a course, whatever became of the others. */
export function drawFate(seed: number, connection: number): Fate {
  const random = seeded(seed * 1_009 + connection);
  // A client gives up after five attempts in a row that do not open: every third one gets as far as WELCOME.
  const isWelcomed = connection % 3 === 2;
  // Mostly one direction is in trouble, now and then both.
  const which = random.below(5);
  return {
    ...(which !== 1 && which !== 2 && { up: drawLeg(random, isWelcomed) }),
    ...(which !== 3 && which !== 4 && { down: drawLeg(random, isWelcomed) }),
  };
}

function drawLeg(random: Random, isWelcomed: boolean): LegFate {
  return {
    ...(random.below(10) > 0 && { trouble: { ...drawTrouble(random), at: drawPlace(random, isWelcomed) } }),
    ...(random.below(4) === 0 && { delayMs: 1 + random.below(8) }),
    ...(random.below(3) === 0 && { splitBytes: 1 + random.below(9) }),
  };
}

function drawTrouble(random: Random): Trouble {
  switch (random.below(6)) {
    case 0:
    case 1:
      return { does: 'cut' };
    case 2:
    case 3:
      return { does: 'reset' };
    case 4:
      return { does: 'half-close', ms: random.below(longestHalfCloseMs) };
    default: {
      // Short ones go by; long ones are noticed by the heartbeat.
      const ms = random.below(2) === 0 ? random.below(60) : random.below(longestStallMs);
      return { does: 'stall', ms, after: random.below(2) === 0 ? 'go on' : 'cut' };
    }
  }
}

/** At the boundary of a frame, inside of its headers or its payload, or inside of the upgrade. */
function drawPlace(random: Random, isWelcomed: boolean): Place {
  const frame = random.below(mostFrames);
  switch (random.below(isWelcomed ? 7 : 8)) {
    case 0:
    case 1:
    case 2:
      return { frame, into: 0 };
    case 3:
    case 4:
      return { frame, into: 1 + random.below(24) };
    case 5:
    case 6:
      return { frame, into: 1 + random.below(1_500) };
    default:
      return { byte: random.below(600) };
  }
}
