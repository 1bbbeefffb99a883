/** The beginning of a file, and whether that was all. */
export interface FileStart {
  bytes: Uint8Array;
  whole: boolean;
}

/** Reads at most `most` bytes of a stream, and cancels the rest. */
export async function readStart(stream: ReadableStream<Uint8Array>, most: number): Promise<FileStart> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let ended = false;
  while (length <= most) {
    const { done, value } = await reader.read();
    if (done) {
      ended = true;
      break;
    }
    chunks.push(value);
    length += value.length;
  }
  if (!ended) await reader.cancel();
  const bytes = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
  return { bytes: bytes.subarray(0, most), whole: ended && length <= most };
}

/** The bytes as text, or undefined when they are none. A character cut off by the end is left out. */
export function asText({ bytes, whole }: FileStart): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !whole });
  } catch {
    return undefined;
  }
}
