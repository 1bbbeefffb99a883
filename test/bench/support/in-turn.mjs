/** Who begins changes, so that none always comes after the same other. */
export function inTurn(ways, turn) {
  const entries = Object.entries(ways);
  const first = turn % entries.length;
  return [...entries.slice(first), ...entries.slice(0, first)];
}
