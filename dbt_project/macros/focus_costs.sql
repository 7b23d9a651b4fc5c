{#
  Cost formulas of FOCUS exports, as expressions over the landed columns of `focus_charges`. Files whose amortised
  cost cannot be determined are rejected at landing (`orchestration/sources/billing/required_costs.py`); missing
  costs that follow from the rest of the row are derived here and reported by `cost_findings`.
#}
{% macro focus_category() -%}
    {{ focus_word("charge_category", charge_categories(), "'Adjustment'") }}
{%- endmacro %}

{% macro focus_commitment_status() -%}
    {{ focus_word("commitment_discount_status", ["Used", "Unused"]) }}
{%- endmacro %}

{# Azure omits the commitment id on some purchases; their order identifies it. #}
{% macro focus_is_of_commitment() -%}
    (
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
        )
    )
{%- endmacro %}

{#
  A commitment fee or its refund. FOCUS defines its effective cost as 0, because the used and unused rows of the
  commitment carry it. Some providers (Azure) repeat the billed cost there.
#}
{% macro focus_is_commitment_fee() -%}
    (
        {{ focus_is_of_commitment() }}
        and {{ focus_commitment_status() }} is null
        and coalesce({{ focus_category() }} in ('Purchase', 'Credit', 'Adjustment'), false)
    )
{%- endmacro %}

{# Used or Unused rows of a commitment are billed through its fee. #}
{% macro focus_billed_cost() -%} coalesce(billed_cost, 0) {%- endmacro %}

{% macro focus_effective_cost() -%}
    case when {{ focus_is_commitment_fee() }} then 0 else coalesce(effective_cost, billed_cost, 0) end
{%- endmacro %}

{#
  FOCUS: cost at the negotiated price, without commitments. If absent: contracted unit price × quantity; else, for
  usage covered by a commitment, list or amortised cost; else billed cost.
#}
{% macro focus_contracted_cost() -%}
    coalesce(
        contracted_cost,
        {{ price_times_quantity("contracted_unit_price", "pricing_quantity") }},
        case
            {{ focus_commitment_status() }}
            when 'Used'
            then
                coalesce(
                    list_cost,
                    {{ price_times_quantity("list_unit_price", "pricing_quantity") }},
                    effective_cost
                )
            when 'Unused'
            then 0
        end,
        billed_cost,
        0
    )
{%- endmacro %}

{# FOCUS: cost at public prices. If absent: list unit price × quantity, else contracted cost. #}
{% macro focus_list_cost() -%}
    coalesce(
        list_cost,
        {{ price_times_quantity("list_unit_price", "pricing_quantity") }},
        {{ focus_contracted_cost() }}
    )
{%- endmacro %}

{# Price × quantity, truncated toward zero to twelve digits; null if either is absent or the product is too large. #}
{% macro price_times_quantity(price, quantity) -%}
    try(
        cast(
            {{
                money(
                    whole_quotient(
                        money_units(price) ~ " * " ~ money_units(quantity), "1000000000000::hugeint"
                    )
                )
            }} as decimal(38, 12)
        )
    )
{%- endmacro %}
