{#
  What a row of a FOCUS export costs: each formula once, as an expression over the landed columns of `focus_charges`.
  A file whose rows leave an amortised cost unknown is rejected when it lands, see
  `orchestration/sources/billing/required_costs.py`; what a row lacks and the rest of it tells is taken from there, and
  the model `missing_costs` has how much of it.
#}
{% macro focus_category() -%}
    {{ focus_word("charge_category", charge_categories(), "'Adjustment'") }}
{%- endmacro %}

{% macro focus_commitment_status() -%}
    {{ focus_word("commitment_discount_status", ["Used", "Unused"]) }}
{%- endmacro %}

{# Azure leaves the id of a commitment out on some of its purchases; the order that they are of tells it. #}
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
  A commitment's fee, or its refund: FOCUS has the effective cost of such a purchase 0, since the rows that use the
  commitment, and the one of its unused part, carry it. Some providers (Azure) repeat the billed cost there.
#}
{% macro focus_is_commitment_fee() -%}
    (
        {{ focus_is_of_commitment() }}
        and {{ focus_commitment_status() }} is null
        and coalesce({{ focus_category() }} in ('Purchase', 'Credit', 'Adjustment'), false)
    )
{%- endmacro %}

{# Used or Unused rows of a commitment are billed with its fee. #}
{% macro focus_billed_cost() -%} coalesce(billed_cost, 0) {%- endmacro %}

{% macro focus_effective_cost() -%}
    case when {{ focus_is_commitment_fee() }} then 0 else coalesce(effective_cost, billed_cost, 0) end
{%- endmacro %}

{#
  FOCUS: at the negotiated price but without commitments. Where it is absent it is the contracted unit price × quantity,
  then for what a commitment covers its list cost or amortised cost, and what is billed for everything else.
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

{# FOCUS: at public prices. Where it is absent it is the list unit price × quantity, then the contracted cost. #}
{% macro focus_list_cost() -%}
    coalesce(
        list_cost,
        {{ price_times_quantity("list_unit_price", "pricing_quantity") }},
        {{ focus_contracted_cost() }}
    )
{%- endmacro %}

{# Price × quantity, cut toward zero at the twelfth digit; null where one is absent or the product too large. #}
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
