/** What the demo's page may do in its sandbox: everything that it shows. */
export const demoGrants = {
  pty: 'write',
  commands: 'run',
  files: [
    { op: 'read', prefix: '/' },
    { op: 'write', prefix: '/' },
  ],
  lifecycle: ['info', 'extend', 'kill'],
};
