const css = `
:where(sandbox-terminal){display:block;height:24em}
.sandbox-terminal{position:relative;width:100%;height:100%;min-height:2em;overflow:hidden}
.sandbox-terminal-screen{position:absolute;inset:8px 4px 8px 10px}
.sandbox-terminal .xterm .xterm-viewport{background-color:inherit}
.sandbox-terminal[data-ended] .sandbox-terminal-screen{opacity:.55}
.sandbox-terminal[data-watching] .sandbox-terminal-screen{overflow:auto}
.sandbox-terminal-notices{position:absolute;z-index:10;top:8px;right:12px;left:8px;display:flex;
flex-direction:column;align-items:flex-end;gap:8px;pointer-events:none;font:13px/1.4 system-ui,sans-serif}
.sandbox-terminal-notice{display:flex;flex-wrap:wrap;align-items:center;gap:6px 12px;padding:8px 12px;
border-radius:8px;pointer-events:auto;color:#1b1f24;background:#fff;border:1px solid #c9ced6;
box-shadow:0 2px 10px #0003}
.sandbox-terminal-notice:empty{position:absolute;width:1px;height:1px;padding:0;border:0;overflow:hidden;
clip-path:inset(50%)}
.sandbox-terminal-notice button{font:inherit;font-weight:600;padding:2px 10px;border-radius:6px;cursor:pointer;
color:inherit;background:#eef1f5;border:1px solid #b4bbc6}
.sandbox-terminal-notice button:hover{background:#e0e5ec}
.sandbox-terminal-notice button:focus-visible{outline:2px solid #1d56ad;outline-offset:1px}
@media(prefers-color-scheme:dark){
.sandbox-terminal-notice{color:#e8ecf2;background:#262c36;border-color:#46505f}
.sandbox-terminal-notice button{background:#353e4b;border-color:#596577}
.sandbox-terminal-notice button:hover{background:#414c5c}
.sandbox-terminal-notice button:focus-visible{outline-color:#94bffb}}
`;

const styled: WeakSet<Node> = /*@__PURE__*/ new WeakSet();

/**
 * Puts the style of the notices into the document or shadow root that the element is in. It is a constructed sheet,
 * which a Content-Security-Policy without `unsafe-inline` allows.
 */
export function addTerminalStyle(element: HTMLElement): void {
  const root = element.getRootNode();
  if (!(root instanceof Document || root instanceof ShadowRoot) || styled.has(root)) return;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets.push(sheet);
  styled.add(root);
}
