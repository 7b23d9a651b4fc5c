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

/** Whole numbers of any width as limbs of 32 bits, lowest first; only the highest has a sign. */
function limbsOf(bytes, at, rows, width) {
  const limbs = [];
  for (let plane = 0; plane < width; plane += 4) {
    const kept = Math.min(4, width - plane);
    const numbers = Float64Array.from(smallNumbers(bytes, at + plane * rows, rows, kept));
    if (plane + 4 < width) for (let row = 0; row < rows; row += 1) if (numbers[row] < 0) numbers[row] += 4294967296;
    limbs.push(numbers);
  }
  return limbs;
}

/** One column of a table, read where it begins. */
function readColumn(header, bytes, at, rows) {
  const column = { ...header, length: rows };
  if (header.kind === "decimal") column.limbs = limbsOf(bytes, at, rows, header.width);
  else if (header.width <= 4) column.numbers = smallNumbers(bytes, at, rows, header.width);
  else {
    const [low, high] = limbsOf(bytes, at, rows, header.width);
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
    if (column.kind === "decimal") return unitsOf(column.limbs.map((limb) => limb[row]), column.scale);
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
