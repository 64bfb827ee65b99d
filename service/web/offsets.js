// The API counts Unicode code points; JavaScript strings count UTF-16 units. This module alone knows both.

/** Return the index in UTF-16 units of the code point number `offset` of `text`, at most its length. */
export function toUtf16(text, offset) {
  let index = 0;
  for (let passed = 0; passed < offset && index < text.length; passed += 1) {
    index += text.codePointAt(index) > 0xffff ? 2 : 1;
  }
  return index;
}

/** Cut `text` at two code-point offsets and return the three parts: before, inside, after. */
export function cut(text, start, end) {
  const from = toUtf16(text, start);
  const to = from + toUtf16(text.slice(from), end - start);
  return [text.slice(0, from), text.slice(from, to), text.slice(to)];
}
