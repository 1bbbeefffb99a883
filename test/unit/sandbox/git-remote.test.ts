import { expect, test } from 'vitest';
import { splitUrl } from '../../../src/sandbox/git-remote.js';

test.each([
  ['https://ada:s%40cret@host/a.git', 'https://host/a.git', { username: 'ada', password: 's@cret' }],
  ['https://token@host/a.git', 'https://host/a.git', { username: 'token', password: '' }],
  ['https://token:@host/a.git', 'https://host/a.git', { username: 'token', password: '' }],
  ['https://:token@host/a.git', 'https://host/a.git', { username: '', password: 'token' }],
])('%s is told apart from its credentials', (given, url, credentials) => {
  expect(splitUrl(given)).toEqual({ url, credentials });
});

test.each(['https://host/a.git', 'git@host:a.git', '/home/user/a.git'])('%s has none', (url) => {
  expect(splitUrl(url)).toEqual({ url });
});
