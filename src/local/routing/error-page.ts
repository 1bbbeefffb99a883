const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 0; min-height: 100vh; display: grid; place-items: center }
main { max-width: 34rem; padding: 2rem }
h1 { font-size: 1.25rem; margin: 0 0 .5rem }
p { margin: 0 0 1.5rem }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 0; font-size: .875rem; opacity: .75 }
dd { margin: 0; font-family: ui-monospace, monospace; overflow-wrap: anywhere }
`;

/** A proxy's error for people. It loads nothing, and every value in it is escaped. */
export function errorPage(
  status: number,
  message: string,
  advice: string,
  details: Readonly<Record<string, unknown>>,
): string {
  const rows = Object.entries({ status, ...details })
    .map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(String(value))}</dd>`)
    .join('');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${status}: ${escaped(message)}</title>
<style>${style}</style>
<main>
<h1>${escaped(message)}</h1>
<p>${escaped(advice)}</p>
<dl>${rows}</dl>
</main>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
