/** What an error means to the person at the page, and what can be done about it. */
export interface Trouble {
  text: string;
  /** `new`: only a new sandbox helps. `retry`: the same again may work. `none`: it concerns one action only. */
  remedy: 'new' | 'retry' | 'none';
}

const troubles: Record<string, Trouble> = {
  sandbox_not_found: { text: 'This sandbox has ended.', remedy: 'new' },
  sandbox_ended: { text: 'This sandbox has ended.', remedy: 'new' },
  session_expired: { text: 'Your session has ended.', remedy: 'retry' },
  session_refused: { text: 'The server does not let you use this sandbox.', remedy: 'new' },
  unauthenticated: { text: 'The server does not know your session any more.', remedy: 'retry' },
  connection_failed: {
    text: 'The server of this page does not answer. Is “npm start” still running?',
    remedy: 'retry',
  },
  broker_misconfigured: {
    text: 'The server of this page is not set up rightly. What is wrong is in its log.',
    remedy: 'retry',
  },
  invalid_session: { text: 'The server of this page gave no usable answer.', remedy: 'retry' },
  protocol_error: { text: 'The server of this page gave no usable answer.', remedy: 'retry' },
  upstream_unavailable: { text: 'The sandbox service does not answer.', remedy: 'retry' },
  request_timeout: { text: 'The server takes too long to answer.', remedy: 'retry' },
  rate_limited: { text: 'Too many requests. Wait a moment.', remedy: 'retry' },
  service_busy: { text: 'There is no room for another sandbox at the moment.', remedy: 'retry' },
  connection_lost: { text: 'The connection was lost.', remedy: 'none' },
  permission_denied: { text: 'You are not allowed to do this.', remedy: 'none' },
  file_not_found: { text: 'It is not there any more.', remedy: 'none' },
  not_found: { text: 'It is not there any more.', remedy: 'none' },
};

/** Says an error in words. Those without a sentence here have a message made for people. */
export function explain(error: unknown): Trouble {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const text = error instanceof Error && error.message ? error.message : 'Something went wrong.';
  return troubles[code] ?? { text, remedy: 'none' };
}
