"""Rules for revenue rows, as SQL over text: accepted and rejected rows."""

from __future__ import annotations

from orchestration.compiler.language.reserved_customers import RESERVED_CUSTOMERS
from orchestration.sources.files.text import cleaned, has_control_character

LONGEST_PERIOD_DAYS = 3660

_TEXTS = ("customer", "month", "period_start", "period_end", "amount", "currency", "product")
# Spreadsheets write days as timestamps at midnight, and months as their first day.
_MIDNIGHT = r"([ T]00:00(:00(\.0+)?)?(Z|\+00(:?00)?)?)?"
_MONTH = rf"^(\d{{4}}-\d{{2}})(-01{_MIDNIGHT})?$"
_DAY = rf"^(\d{{4}}-\d{{2}}-\d{{2}}){_MIDNIGHT}$"
_AMOUNT = r"[+-]?(\d+(\.\d{0,12}0*)?|\.\d{1,12}0*)"

# Text as read, one row each.
READ = rf"""
CREATE TEMP TABLE read_rows AS
WITH
    trimmed AS (
        SELECT file, file_row, {", ".join(f"{cleaned(text)} AS {text}" for text in _TEXTS)}
        FROM given
        -- A row of empty cells, as spreadsheets leave them below a table, says nothing.
        WHERE concat({", ".join(f"trim({text})" for text in _TEXTS)}) <> ''
    ),

    parsed AS (
        SELECT
            *,
            try_cast(regexp_extract(month, '{_MONTH}', 1) || '-01' AS DATE) AS month_start,
            try_cast(regexp_extract(period_start, '{_DAY}', 1) AS DATE) AS first_day,
            try_cast(regexp_extract(period_end, '{_DAY}', 1) AS DATE) AS last_day,
            CASE
                WHEN regexp_full_match(amount, '{_AMOUNT}') THEN try_cast(amount AS DECIMAL(38, 12))
            END AS exact_amount
        FROM trimmed
    )

SELECT
    *,
    coalesce(first_day, month_start) AS period_first_day,
    coalesce(last_day, last_day(month_start)) AS period_last_day,
    CASE
        WHEN customer IS NULL THEN 'the customer is missing'
        WHEN lower(customer) IN {RESERVED_CUSTOMERS}
        THEN
            'the customer ''' || customer || ''' is reserved for costs that no single customer carries; '
            || 'choose another'
        WHEN {has_control_character("concat(customer, product)")}
        THEN 'the customer or product has a control character, such as NUL; remove it'
        WHEN month IS NOT NULL AND (period_start IS NOT NULL OR period_end IS NOT NULL)
        THEN 'gives both a month and days; leave one of them empty'
        WHEN month IS NULL AND period_start IS NULL AND period_end IS NULL THEN 'the period is missing'
        WHEN month IS NOT NULL AND month_start IS NULL
        THEN 'the month ''' || month || ''' is not written as 2026-09'
        WHEN month IS NULL AND period_start IS NULL THEN 'the first day of the period is missing'
        WHEN month IS NULL AND period_end IS NULL THEN 'the last day of the period is missing'
        WHEN month IS NULL AND first_day IS NULL
        THEN 'the first day ''' || period_start || ''' is not written as 2026-09-01'
        WHEN month IS NULL AND last_day IS NULL
        THEN 'the last day ''' || period_end || ''' is not written as 2026-09-30'
        WHEN last_day < first_day
        THEN 'the period ends on ' || last_day || ', before it begins on ' || first_day
        -- From the 1st to the 1st: written by who does not count the last day.
        WHEN last_day > first_day
            AND last_day = first_day + to_months(date_diff('month', first_day, last_day))
        THEN
            'the last day belongs to the period and would be counted twice: write ' || (last_day - 1)
            || ' for ' || last_day
        WHEN last_day - first_day >= {LONGEST_PERIOD_DAYS} THEN 'the period is longer than ten years'
        WHEN amount IS NULL THEN 'the amount is missing'
        WHEN exact_amount IS NULL
        THEN
            'the amount ''' || amount || ''' is not a decimal number such as 1234.50, with at most 26 digits '
            || 'before the point and 12 behind it'
        WHEN currency IS NULL THEN 'the currency is missing'
        WHEN NOT regexp_full_match(currency, '[A-Za-z]{{3}}')
        THEN 'the currency ''' || currency || ''' is not a code of three letters such as USD'
    END AS reason
FROM parsed
"""

GOOD = """
SELECT
    file,
    file_row,
    customer AS customer_id,
    period_first_day AS period_start,
    period_last_day AS period_end,
    exact_amount AS amount,
    upper(currency) AS currency,
    product
FROM read_rows
WHERE reason IS NULL
ORDER BY file, file_row
"""

# Equal rows of two files, each as often as both have it.
IN_TWO_FILES = """
WITH counts AS (
    SELECT
        file, customer, period_first_day, period_last_day, exact_amount, upper(currency) AS currency, product,
        count(*) AS row_count, min(file_row) AS file_row
    FROM read_rows
    WHERE reason IS NULL
    GROUP BY ALL
)

SELECT
    first.file,
    second.file,
    first.currency,
    sum(least(first.row_count, second.row_count))::BIGINT,
    sum(first.exact_amount * least(first.row_count, second.row_count))::DECIMAL(38, 12),
    min(second.file_row)
FROM counts AS first
INNER JOIN counts AS second
    ON second.file > first.file
    AND second.customer = first.customer
    AND second.period_first_day = first.period_first_day
    AND second.period_last_day = first.period_last_day
    AND second.exact_amount = first.exact_amount
    AND second.currency = first.currency
    AND second.product IS NOT DISTINCT FROM first.product
GROUP BY first.file, second.file, first.currency
ORDER BY ALL
"""

# With the row as JSON, so it can be read without the file.
REJECTED = f"""
SELECT file, file_row, reason, to_json(struct_pack({", ".join(_TEXTS)}))::VARCHAR AS row_text
FROM read_rows
WHERE reason IS NOT NULL
UNION ALL
SELECT file, file_row, reason, row_text FROM broken
ORDER BY file, file_row
"""
