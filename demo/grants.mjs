/**
 * What the demo's page may do in its sandbox: everything that it shows.
 * @type {import('e2b-edge/broker').Grant}
 */
export const demoGrants = {
  pty: 'write',
  commands: 'run',
  files: [
    { op: 'read', prefix: '/' },
    { op: 'write', prefix: '/' },
  ],
  lifecycle: ['info', 'extend', 'kill'],
};
