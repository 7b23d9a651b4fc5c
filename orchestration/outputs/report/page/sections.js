/* The sections of the report: each says its name, which filters it follows, and how it is drawn. */

/**
 * @param {Object} given `id` and `title`; `filters`, those of dates, segment and customer that it follows;
 *   `within`, the section of the navigation that it belongs to, if it has no place there; `show(content)`
 */
function section(given) {
  page.sections.push(given);
}
