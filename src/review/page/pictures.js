// Pictures that are there before they are looked at.

const POOL_MAX = 24;
const pool = new Map();

export const small = (face) => `small/${face.id}`;
export const large = (face) => `large/${face.id}`;

/** Returns the element of a picture, loading it if nobody did before. */
export function picture(url, alt) {
  let image = pool.get(url);
  if (image === undefined) {
    image = new Image();
    image.decoding = "sync";
    image.src = url;
    image.settled = image.decode().then(() => true, () => false);
  }
  pool.delete(url);
  pool.set(url, image);
  for (const old of pool.keys()) {
    if (pool.size <= POOL_MAX) break;
    pool.delete(old);
  }
  image.alt = alt ?? "";
  return image;
}

/** Loads what will be looked at next, the nearest first. */
export function prefetch(urls) {
  for (const url of urls) {
    if (!pool.has(url)) picture(url, "");
  }
}
