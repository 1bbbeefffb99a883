/** The close codes of the terminal protocol, by name. */
export const PtyClose = {
  /** The relay goes away, or could not serve now: come again. */
  goingAway: 1012,
  /** A message that is not of the protocol, or a terminal that the sandbox cannot give: the ERROR before says which. */
  protocol: 4400,
  /** The token was refused, or the session is over. */
  token: 4401,
  /** The session does not grant it. */
  notGranted: 4403,
  /** No such terminal. */
  notFound: 4404,
  /** Nothing was said in time. */
  silent: 4408,
  /** A newer socket of the same client took over. */
  replaced: 4409,
  /** The program ended; an EXIT came before. */
  exited: 4410,
  /** Too much of something; the ERROR before says when to come again. */
  limits: 4429,
} as const;
