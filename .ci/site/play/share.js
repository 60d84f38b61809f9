// What the page holds, as the fragment of a link. A fragment is sent to no server.

// limit is how long a fragment may be, in characters, and most how long what it
// holds, in bytes.
export const limit = 500_000;
const most = 4 << 20;
const version = "1.";

export async function pack(state) {
  const text = new TextEncoder().encode(JSON.stringify(state));
  const packed = await bytes(new Blob([text]).stream().pipeThrough(new CompressionStream("deflate")), most);
  let binary = "";
  for (let i = 0; i < packed.length; i += 0x8000) {
    binary += String.fromCharCode(...packed.subarray(i, i + 0x8000));
  }
  return version + btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

// unpack is the state in a fragment. The deflate format has a checksum, so that a
// link which was cut or changed is an error.
export async function unpack(fragment) {
  if (!fragment.startsWith(version)) {
    throw new Error("it is not one that this page has made");
  }
  let text;
  try {
    const binary = atob(fragment.slice(version.length).replaceAll("-", "+").replaceAll("_", "/"));
    const packed = Uint8Array.from(binary, (c) => c.charCodeAt(0));
    text = new TextDecoder("utf-8", { fatal: true }).decode(await bytes(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate")), most));
  } catch (e) {
    throw e instanceof RangeError ? e : new Error("it was cut or changed on the way");
  }
  return JSON.parse(text);
}

async function bytes(stream, most) {
  const parts = [];
  let size = 0;
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) {
      break;
    }
    size += value.length;
    if (size > most) {
      await reader.cancel();
      throw new RangeError(`it holds more than ${most} bytes`);
    }
    parts.push(value);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
