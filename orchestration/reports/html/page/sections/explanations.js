/* Why a customer's cost is what it is: the rules, the usage and the shares behind it. */

async function explanationBlock() {
  return null;
}
