/** A git server inside a sandbox, by git's own CGI program, that wants to know who asks. */

import { ok, until } from './assert.js';
import type { AnySandbox } from './case.js';

export const credentials = { username: 'ann', password: "p@ss:w%rd/'$(x)" };

export interface GitServer {
  url: string;
  /** The Authorization headers that came, one a request; empty where there was none. */
  seen(): Promise<string[]>;
  /** All command lines in the sandbox at the time of each request. */
  commandLines(): Promise<string>;
}

/** Serves `~/served`. What is below `/moved/` is redirected to `movedTo`. */
export async function startGitServer(sandbox: AnySandbox, name: string, movedTo = ''): Promise<GitServer> {
  const { files, commands } = sandbox;
  await files.write('git-server.py', program);
  let printed = '';
  const { username, password } = credentials;
  const server = await commands.run(`exec python3 -u ~/git-server.py ${name}`, {
    background: true,
    envs: { SERVED_TO: `${username}:${password}`, MOVED_TO: movedTo },
    onStdout: (data) => {
      printed += data;
    },
  });
  await until(() => printed.endsWith('\n') || server.exitCode !== undefined, 'the git server listens');
  ok(server.exitCode === undefined, `the git server runs: ${server.stderr}`);
  return {
    url: `http://127.0.0.1:${printed.trim()}`,
    seen: async () => (await files.read(`${name}.seen`)).split('\n').slice(0, -1),
    commandLines: () => files.read(`${name}.commands`),
  };
}

const program = `
import base64, os, subprocess, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

name = sys.argv[1]
expected = 'Basic ' + base64.b64encode(os.environ['SERVED_TO'].encode()).decode()

class Git(BaseHTTPRequestHandler):
    def answer(self):
        given = self.headers.get('Authorization') or ''
        with open(name + '.seen', 'a') as seen:
            seen.write(given + '\\n')
        with open(name + '.commands', 'ab') as lines:
            for pid in filter(str.isdigit, os.listdir('/proc')):
                try:
                    lines.write(open(f'/proc/{pid}/cmdline', 'rb').read().replace(b'\\0', b' ') + b'\\n')
                except OSError:
                    pass
        if self.path.startswith('/moved/'):
            self.reply(302, [('Location', os.environ['MOVED_TO'] + self.path[len('/moved'):])], b'')
        elif given != expected:
            self.reply(401, [('WWW-Authenticate', 'Basic realm="git"')], b'')
        else:
            self.git()

    def git(self):
        path, _, query = self.path.partition('?')
        env = dict(os.environ, GIT_PROJECT_ROOT=os.path.expanduser('~/served'), GIT_HTTP_EXPORT_ALL='1',
            REMOTE_USER='ann', REQUEST_METHOD=self.command, PATH_INFO=path, QUERY_STRING=query,
            CONTENT_TYPE=self.headers.get('Content-Type') or '', GIT_PROTOCOL=self.headers.get('Git-Protocol') or '',
            HTTP_CONTENT_ENCODING=self.headers.get('Content-Encoding') or '')
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        answer = subprocess.run(['git', 'http-backend'], input=body, env=env, stdout=subprocess.PIPE).stdout
        head, _, content = answer.partition(b'\\r\\n\\r\\n')
        headers = [line.split(': ', 1) for line in head.decode().split('\\r\\n')]
        status = next((int(value.split()[0]) for key, value in headers if key == 'Status'), 200)
        self.reply(status, [pair for pair in headers if pair[0] != 'Status'], content)

    def reply(self, status, headers, content):
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(('127.0.0.1', 0), Git)
print(server.server_port)
server.serve_forever()
`;
