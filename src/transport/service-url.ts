/** Whether paths can be put behind an address: a query would swallow them. And a password is nothing that `fetch` takes. */
export function isServiceUrl(url: string): boolean {
  return /^https?:\/\/[^/?#@]+(\/[^?#]*)?$/i.test(url) && URL.canParse(url);
}
