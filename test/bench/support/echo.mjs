/** Waits for words in a stream of output. */
export class Echo {
  #text = '';
  #wanted;

  take(data) {
    this.#text += Buffer.from(data).toString('latin1');
    if (this.#wanted && this.#text.includes(this.#wanted.word)) this.#wanted.resolve();
  }

  /** Resolves when the word has come after this call. */
  await(word) {
    this.#text = '';
    return new Promise((resolve) => {
      this.#wanted = { word, resolve };
    });
  }
}
