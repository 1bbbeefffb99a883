/**
 * What the page consists of, by path: the file's name and type. Only what is listed here exists, so a path cannot lead
 * anywhere else.
 * @type {Readonly<Record<string, readonly [name: string, type: string]>>}
 */
export const pageFiles = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/main.js': ['main.js', 'text/javascript; charset=utf-8'],
  '/main.css': ['main.css', 'text/css; charset=utf-8'],
  '/main.js.map': ['main.js.map', 'application/json'],
  '/main.css.map': ['main.css.map', 'application/json'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
};
