// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are parts of sources
/**
 * The threats that the broker is made against, and for each the line that holds it off. `npm run defences` takes each
 * line out, one at a time and in memory, and wants a unit test to fail.
 *
 * @typedef {{ threat: string, file: string, from: string, to: string, tests: string[] }} Defence
 */

const broker = 'src/broker';

/** @type {Defence[]} */
export const defences = [
  defence(
    'a token that nobody signed',
    'signed-token.ts',
    'await jwtVerify(',
    "await (async (text: string, ..._rest: unknown[]) => ({ payload: JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()) as JWTPayload }))(",
    ['token'],
  ),
  defence('a token of another kind', 'signed-token.ts', '        typ: type,\n', '', ['token', 'invitation']),
  defence(
    'a token of another issuer',
    'signed-token.ts',
    '        issuer,\n        audience,',
    '        audience,',
    ['token'],
  ),
  defence(
    'a token for another audience',
    'signed-token.ts',
    '        issuer,\n        audience,',
    '        issuer,',
    ['token'],
  ),
  defence(
    'a token that is not valid yet',
    'signed-token.ts',
    "if (typeof iat !== 'number' || iat >",
    "if (typeof iat === 'string' && iat >",
    ['token'],
  ),
  defence(
    'a token that has run out',
    'session-token.ts',
    'if (expired && !options.expired) throw tokenExpired();',
    '',
    ['token'],
  ),
  defence(
    "a token after its session's end",
    'session-token.ts',
    'if (Date.now() >= sessionEndsAt(claims, settings)) throw sessionExpired();',
    '',
    ['token'],
  ),
  defence(
    'a revoked session that works on',
    'revocation.ts',
    'if (over.includes(true)) throw sessionRevoked();',
    '',
    ['revocation', 'sessions'],
  ),
  defence(
    'a page of another origin',
    'cors.ts',
    'if (!origins.includes(origin)) throw originNotAllowed();',
    '',
    ['http', 'pty', 'sessions'],
  ),
  defence('a redirect that is followed', 'envd-upstream.ts', "redirect: 'manual'", "redirect: 'follow'", [
    'rpc',
    'files',
    'http',
  ]),
  defence(
    'a host made of a domain that is none',
    'sandbox-directory.ts',
    'if (ownDomain && !domainPattern.test(ownDomain))',
    'if (false)',
    ['held-off'],
  ),
  defence(
    'two envelopes, or more than one',
    'rpc-message.ts',
    '|| view.getUint32(1) !== body.length - envelopeHeadBytes',
    '',
    ['rpc'],
  ),
  defence('a compressed envelope', 'rpc-message.ts', 'if (body[0] !== 0)', 'if (false)', ['rpc']),
  defence(
    'a procedure that is not listed',
    'rpc-proxy.ts',
    'if (!policy) throw routeNotFound();',
    'if (!policy) throw new Error();',
    ['rpc'],
  ),
  defence('a request that is sent again', 'rpc-proxy.ts', 'refuseRepeat(request, claims.sid);', '', ['rpc']),
  defence(
    'the user that a page chooses',
    'envd-upstream.ts',
    '...(user !== undefined && { authorization: `Basic ${btoa(`${user}:`)}` }),',
    '',
    ['rpc', 'files'],
  ),
  defence(
    'a path out of its prefix',
    'sandbox-path.ts',
    "if (part === '..') kept.pop();\n    else if",
    'if',
    ['files', 'grant'],
  ),
  defence(
    'a NUL or a backslash in a path',
    'sandbox-path.ts',
    "if (path.includes('\\0') || path.includes('\\\\'))",
    'if (false)',
    ['files'],
  ),
  defence(
    'a prefix that is the beginning of a name',
    'sandbox-path.ts',
    'path.startsWith(`${prefix}/`)',
    'path.startsWith(prefix)',
    ['files', 'grant'],
  ),
  defence(
    'a symlink out of its prefix',
    'file-guard.ts',
    'requireOps(grant, ops, await resolveLinks(upstream, absolute, follows));',
    '',
    ['files'],
  ),
  defence('two paths in the query of a file', 'files-proxy.ts', 'paths.length !== 1', 'false', ['files']),
  defence(
    'a form whose names choose the place',
    'files-proxy.ts',
    'path === undefined || paths.length !== 1',
    'paths.length > 1',
    ['held-off'],
  ),
  defence(
    'the far end of a move',
    'rpc-policy.ts',
    'message.destination = await files.check(upstream, claims.g, message.destination, removeLink);',
    '',
    ['files'],
  ),
  defence(
    "another's process",
    'process-mark.ts',
    'if (!tag?.startsWith(`${mark}:`)) return undefined;',
    'if (tag === undefined) return undefined;',
    ['rpc', 'commands'],
  ),
  defence(
    'a list of all processes',
    'process-guard.ts',
    "if (kind && (await mayUse(claims.g, kind, 'watch')))",
    '',
    ['rpc', 'commands'],
  ),
  defence(
    'a mark that the page chooses',
    'rpc-policy.ts',
    'message.tag = await processTag(',
    'message.tag ??= await processTag(',
    ['held-off'],
  ),
  defence(
    'another command than the listed one',
    'start-policy.ts',
    'if (!command) throw notGranted(',
    'if (false) throw notGranted(',
    ['rpc', 'commands'],
  ),
  defence('variables or a directory of its own', 'exact-command.ts', '    cwd ?? null,\n', '', ['commands']),
  defence(
    'grants that are a way round one another',
    'authorize.ts',
    '  requireSound(grant);\n  return grant;',
    '  return grant;',
    ['sessions', 'grant-conflict', 'commands'],
  ),
  defence(
    'more mints than may be',
    'limits.ts',
    'await takeTurn(store, ',
    'await (async () => undefined)(store, ',
    ['limits'],
  ),
  defence(
    'more streams than may be',
    'limits.ts',
    'if (!leave) throw tooMany(kind);',
    'if (!leave) return () => undefined;',
    ['limits'],
  ),
  defence('headers without an end', 'limits.ts', 'if (size > max.headerBytes)', 'if (false)', [
    'limits',
    'http',
  ]),
  defence(
    'a body without an end',
    'read-body.ts',
    '    if (size > maxBytes) throw bodyTooLarge(maxBytes);\n',
    '',
    ['rpc', 'sessions', 'http', 'limits'],
  ),
  defence(
    'words of what failed underneath',
    'error-response.ts',
    'if (isE2BEdgeError(error) && error.statusCode !== undefined) return error;',
    'if (isE2BEdgeError(error) || error instanceof Error) return error as never;',
    ['held-off'],
  ),
];

function defence(threat, file, from, to, tests) {
  return {
    threat,
    file: `${broker}/${file}`,
    from,
    to,
    tests: tests.map((name) => `test/unit/broker/${name}.test.ts`),
  };
}
