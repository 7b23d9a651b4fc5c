/* The customers, by a number of their own that the sums use; the last number is the cost that no one carries. */

const UNALLOCATED = "unallocated";

class People {
  /** @param {Table} customers */
  constructor(customers) {
    const texts = (name) => Array.from({ length: customers.rows }, (_, row) => customers.value(name, row));
    this.ids = [...texts("customer_id"), UNALLOCATED];
    this.names = [...texts("customer_name"), "Unallocated"];
    this.segments = [...texts("segment"), ""];
    this.table = customers;
    this.nobody = customers.rows;
    this.numbers = new Map(this.ids.map((id, number) => [id, number]));
    this.segmentNames = [...new Set(texts("segment"))].sort();
    this.searched = this.names.map((name, number) => `${name} ${this.ids[number]}`.toLowerCase());
  }

  /** The number of an id; undefined when nobody has it. */
  number(id) {
    return this.numbers.get(id);
  }

  /** A row of the list of customers as an object; null for the cost that no one carries. */
  row(number) {
    return number === this.nobody ? null : this.table.objects((row) => row === number)[0];
  }

  /** For each number 1 or 0: whether it is a customer of the segment (of any, for null). */
  ofSegment(segment) {
    return Uint8Array.from(this.segments, (each, number) =>
      number !== this.nobody && (!segment || each === segment) ? 1 : 0
    );
  }

  /** Customers whose name or id holds all words of the text, the best matches first. */
  search(text, limit) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const found = [];
    for (let number = 0; number < this.nobody; number += 1) {
      if (words.every((word) => this.searched[number].includes(word))) found.push(number);
    }
    const whole = words.join(" ");
    const rank = (number) => [words[0] || "", whole].filter((each) => this.searched[number].startsWith(each)).length;
    return found.sort((a, b) => rank(b) - rank(a) || compare(this.names[a], this.names[b])).slice(0, limit);
  }
}

/** A link to a customer's page. */
function customerLink(number, text = page.people.names[number]) {
  if (number === page.people.nobody) return el("span", {}, page.people.names[number]);
  const address = addressOf({ view: "customer", customer: page.people.ids[number], by: null, where: null, q: null });
  return el("a", { href: address }, text);
}
