{{ config(meta={"has_days": true}) }}
-- What each row of a FOCUS export costs. `given_…` is what the file has. Files whose amortised cost cannot
-- be determined are rejected at landing; missing costs that follow from the rest of the row are derived
-- here and reported by `cost_findings`.
with
    source as not materialized(
        select
            * exclude (billed_cost, effective_cost, contracted_cost, list_cost),
            billed_cost as given_billed_cost,
            effective_cost as given_effective_cost,
            contracted_cost as given_contracted_cost,
            list_cost as given_list_cost,
            -- FOCUS's own spelling; exports vary in capitals and spaces.
            upper(left(trim(charge_category), 1)) || lower(substring(trim(charge_category), 2)) as category,
            upper(left(trim(commitment_discount_status), 1))
            || lower(substring(trim(commitment_discount_status), 2)) as status,
            case
                when lower(trim(charge_class)) = 'correction' then 'Correction' else charge_class
            end as class
        from {{ source("landing", "focus_charges") }}
    ),

    spelled as not materialized(
        select
            * exclude (category, status, class) replace (
                -- A provider-specific category is an adjustment; x_line_item_type keeps it.
                case
                    when category in ('Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment')
                    then category
                    when category is not null
                    then 'Adjustment'
                end as charge_category,
                case when status in ('Used', 'Unused') then status end as commitment_discount_status,
                class as charge_class
            ),
            case
                when category not in ('Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment') then charge_category
            end as x_line_item_type,
            -- Azure omits the commitment id on some purchases; their order identifies it.
            commitment_discount_id is not null
            or commitment_discount_category is not null
            or commitment_discount_type is not null
            or commitment_discount_name is not null
            or coalesce(
                regexp_matches(
                    lower(concat_ws(' ', resource_id, resource_type)),
                    'microsoft\.capacity/reservationorders|microsoft\.billingbenefits/savingsplanorders'
                ),
                false
            ) as is_of_commitment
        from source
    ),

    fees as not materialized(
        select
            *,
            -- A commitment fee or its refund. FOCUS defines its effective cost as 0, because the used and
            -- unused rows of the commitment carry it. Some providers (Azure) repeat the billed cost there.
            is_of_commitment
            and commitment_discount_status is null
            and coalesce(charge_category in ('Purchase', 'Credit', 'Adjustment'), false) as is_commitment_fee,
            -- Truncated to twelve digits; null if either is absent or the product is too large.
            {%- for price in ["contracted", "list"] %}
                {%- set units = (
                    money_units(price ~ "_unit_price") ~ " * " ~ money_units("pricing_quantity")
                ) %}
                try({{ money("divide(" ~ units ~ ", 1000000000000::hugeint)") }}) as {{ price }}_by_price
                {{- "," if not loop.last }}
            {%- endfor %}
        from spelled
    ),

    contracted as not materialized(
        select
            *,
            -- Cost at the negotiated price, without commitments. If absent: contracted unit price ×
            -- quantity; else, for usage covered by a commitment, list or amortised cost; else billed cost.
            coalesce(
                given_contracted_cost,
                contracted_by_price,
                case
                    commitment_discount_status
                    when 'Used'
                    then coalesce(given_list_cost, list_by_price, given_effective_cost)
                    when 'Unused'
                    then 0
                end,
                given_billed_cost,
                0
            ) as contracted_cost
        from fees
    )

select
    *,
    -- Used or Unused rows of a commitment are billed through its fee.
    coalesce(given_billed_cost, 0) as billed_cost,
    case
        when is_commitment_fee then 0 else coalesce(given_effective_cost, given_billed_cost, 0)
    end as effective_cost,
    -- Cost at public prices. If absent: list unit price × quantity, else contracted cost.
    coalesce(given_list_cost, list_by_price, contracted_cost) as list_cost
from contracted
