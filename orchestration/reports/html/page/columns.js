/*
 * Taking the embedded tables apart; `encoding.py` says how they are written. Columns stay typed arrays: rows
 * become objects only where there are few.
 */

/** @param {string} text base64 of zlib @returns {Promise<Uint8Array>} */
async function inflate(text) {
  const packed = atob(text);
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i += 1) bytes[i] = packed.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Whole numbers of at most four bytes, from their planes. */
function smallNumbers(bytes, at, rows, width) {
  const numbers = new Int32Array(rows);
  const shift = 32 - 8 * width;
  for (let plane = 0; plane < width; plane += 1) {
    const start = at + plane * rows;
    const by = 8 * plane;
    for (let row = 0; row < rows; row += 1) numbers[row] |= bytes[start + row] << by;
  }
  if (shift) for (let row = 0; row < rows; row += 1) numbers[row] = (numbers[row] << shift) >> shift;
  return numbers;
}

/** Whole numbers of any width as multiples of 2^32 and the rest, both exact. */
function largeNumbers(bytes, at, rows, width) {
  const low = new Float64Array(rows);
  const high = new Float64Array(rows);
  if (width <= 4) {
    const numbers = smallNumbers(bytes, at, rows, width);
    for (let row = 0; row < rows; row += 1) {
      low[row] = numbers[row] >>> 0;
      high[row] = numbers[row] < 0 ? -1 : 0;
    }
    return { high, low };
  }
  const rest = smallNumbers(bytes, at, rows, 4);
  for (let row = 0; row < rows; row += 1) low[row] = rest[row] >>> 0;
  const above = width - 4;
  if (above <= 4) {
    high.set(smallNumbers(bytes, at + 4 * rows, rows, above));
    return { high, low };
  }
  for (let row = 0; row < rows; row += 1) {
    let number = (bytes[at + (width - 1) * rows + row] << 24) >> 24;
    for (let plane = width - 2; plane >= 4; plane -= 1) number = number * 256 + bytes[at + plane * rows + row];
    high[row] = number;
  }
  return { high, low };
}

/** Whole numbers too large to be summed as two halves: BigInts, slow but exact at any size. */
function wideNumbers(bytes, at, rows, width) {
  const high = new Array(rows);
  for (let row = 0; row < rows; row += 1) {
    let number = 0n;
    for (let plane = width - 1; plane >= 0; plane -= 1) number = (number << 8n) | BigInt(bytes[at + plane * rows + row]);
    high[row] = BigInt.asIntN(8 * width, number);
  }
  return { high, low: null };
}

/** One column of a table, read where it begins. */
function readColumn(header, bytes, at, rows) {
  const column = { ...header, length: rows };
  if (header.kind === "decimal") {
    const read = header.wide ? wideNumbers : largeNumbers;
    Object.assign(column, read(bytes, at, rows, header.width));
  }
  else if (header.width <= 4) column.numbers = smallNumbers(bytes, at, rows, header.width);
  else {
    const { high, low } = largeNumbers(bytes, at, rows, header.width);
    column.numbers = high.map((number, row) => number * 4294967296 + low[row]);
  }
  if (header.kind === "date") {
    for (let row = 1; row < rows; row += 1) column.numbers[row] += column.numbers[row - 1];
  }
  if (header.nulls) column.isNull = bytes.subarray(at + header.width * rows, at + (header.width + 1) * rows);
  return column;
}

/** A table: its number of rows, and its columns by name, each read when it is first asked for. */
class Table {
  constructor(bytes) {
    const length = new DataView(bytes.buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
    this.rows = header.rows;
    this.columns = {};
    let at = 4 + length;
    for (const each of header.columns) {
      const start = at;
      let read = null;
      Object.defineProperty(this.columns, each.name, {
        enumerable: true,
        get: () => (read = read || readColumn(each, bytes, start, header.rows)),
      });
      at += (each.width + (each.nulls ? 1 : 0)) * header.rows;
    }
  }

  /** The value of one cell: a text, a number, a day, or a BigInt of units; null where there is none. */
  value(name, row) {
    const column = this.columns[name];
    if (column.isNull && column.isNull[row]) return null;
    if (column.kind === "text") return column.values[column.numbers[row]];
    if (column.kind === "decimal") return unitsOf(column.high[row], column.low && column.low[row]);
    return column.numbers[row];
  }

  /** Rows as objects, those that `keep` (given the row's number) wants. */
  objects(keep = () => true) {
    const names = Object.keys(this.columns);
    const found = [];
    for (let row = 0; row < this.rows; row += 1) {
      if (keep(row)) found.push(Object.fromEntries(names.map((name) => [name, this.value(name, row)])));
    }
    return found;
  }
}

const opened = new Map();

/** @param {string} name @returns {Promise<?Table>} the embedded table; null when the snapshot has no such mart */
function table(name) {
  if (!opened.has(name)) {
    const holder = document.getElementById("table-" + name);
    opened.set(name, holder ? inflate(holder.textContent).then((bytes) => new Table(bytes)) : null);
    if (holder) holder.remove();
  }
  return Promise.resolve(opened.get(name));
}
