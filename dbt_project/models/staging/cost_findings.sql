{%- set net_columns = {
    "SavingsPlanCoveredUsage": "savings_plan_net_savings_plan_effective_cost",
    "SavingsPlanRecurringFee": "savings_plan_net_recurring_commitment_for_billing_period",
    "DiscountedUsage": "reservation_net_effective_cost",
    "RIFee": "reservation_net_unused_recurring_fee",
} %}
-- Filter first: nearly all rows have equal billed and effective cost.
with
    aws_cur_lines as (
        select
            source_name as x_source_name,
            landed_file as x_landed_file,
            landed_row as x_landed_row,
            billing_period,
            line_item_currency_code as billing_currency,
            usage_date,
            coalesce(
                savings_plan_savings_plan_a_r_n, reservation_reservation_a_r_n
            ) as commitment_discount_id,
            line_item_line_item_type as line_type,
            pricing_public_on_demand_cost is null as has_no_list_cost,
            case
                line_item_line_item_type
                {%- for line_type, column in net_columns.items() %}
                    when '{{ line_type }}' then case when {{ column }} is null then '{{ column }}' end
                {%- endfor %}
                else case when line_item_net_unblended_cost is null then 'line_item_net_unblended_cost' end
            end as absent_net_column,
            line_item_line_item_type not in ('EdpDiscount', 'PrivateRateDiscount', 'SavingsPlanNegation')
            and has_net_costs as is_net,
            is_host_reservation,
            counts_as,
            billed_cost,
            effective_cost,
            amortised_upfront_cost,
            list_cost
        from {{ ref("stg_aws_cur__costs") }}
        where not is_split
    ),

    aws_cur_findings as (
        select
            * exclude (
                absent_net_column,
                amortised_upfront_cost,
                billed_cost,
                counts_as,
                effective_cost,
                has_no_list_cost,
                is_host_reservation,
                is_net,
                line_type,
                list_cost
            ),
            unnest(
                [
                    {
                        'finding':'cause',
                        'detail': case
                            when counts_as = 'upfront fee'
                            then 'upfront fees'
                            when counts_as = 'refunded fee'
                            then 'refunded fees'
                            else 'unexplained'
                        end,
                        'amount':effective_cost - billed_cost - amortised_upfront_cost
                    },
                    {'finding':'cause', 'detail':'amortised upfront fees', 'amount':amortised_upfront_cost},
                    {
                        'finding':'pricing_public_on_demand_cost',
                        'detail': case
                            when line_type = 'DiscountedUsage'
                            then 'list cost and contracted cost are the amortised cost'
                            else 'list cost is the billed cost'
                        end,
                        'amount': case
                            when
                                has_no_list_cost
                                and line_type in ('Usage', 'SavingsPlanCoveredUsage', 'DiscountedUsage')
                            then list_cost
                        end
                    },
                    {
                        'finding':absent_net_column,
                        'detail':'net cost is the gross cost',
                        'amount': case when is_net and absent_net_column is not null then effective_cost end
                    },
                    {
                        'finding':'amortised columns of Dedicated Hosts',
                        'detail':'effective cost is the billed cost',
                        'amount': case
                            when is_host_reservation and line_type in ('DiscountedUsage', 'RIFee', 'Fee')
                            then billed_cost
                        end
                    }
                ],
                recursive := true
            )
        from aws_cur_lines
        where
            effective_cost <> billed_cost
            or amortised_upfront_cost <> 0
            or has_no_list_cost
            or is_net
            and absent_net_column is not null
            or is_host_reservation
    ),

    focus_rows as (
        select
            source_name as x_source_name,
            landed_file as x_landed_file,
            landed_row as x_landed_row,
            billing_period,
            billing_currency,
            usage_date,
            commitment_discount_id,
            charge_class,
            charge_category,
            commitment_discount_status,
            is_of_commitment
            or coalesce(lower(trim(pricing_category)) = 'committed', false) as is_of_commitment,
            is_commitment_fee,
            given_effective_cost,
            given_contracted_cost,
            given_list_cost,
            billed_cost,
            effective_cost,
            contracted_cost,
            list_cost
        from {{ ref("stg_focus__costs") }}
    ),

    focus_findings as (
        select
            x_source_name,
            x_landed_file,
            x_landed_row,
            billing_period,
            billing_currency,
            usage_date,
            commitment_discount_id,
            unnest(
                [
                    {
                        'finding':'cause',
                        'detail': case
                            when
                                is_commitment_fee
                                and (
                                    charge_category <> 'Purchase'
                                    or charge_class is not null
                                    or billed_cost < 0
                                )
                            then 'refunded fees'
                            when is_commitment_fee or charge_category = 'Purchase' and effective_cost = 0
                            then 'commitment fees'
                            when commitment_discount_status = 'Unused'
                            then 'unused commitments'
                            when is_of_commitment or commitment_discount_status = 'Used'
                            then 'used commitments'
                            when billed_cost <> 0 and effective_cost <> 0
                            then 'provider''s own'
                            else 'unexplained'
                        end,
                        'amount':effective_cost - billed_cost
                    },
                    {
                        'finding':'EffectiveCost',
                        'detail':'effective cost is the billed cost',
                        'amount': case
                            when given_effective_cost is null and not is_commitment_fee then billed_cost
                        end
                    },
                    {
                        'finding':'EffectiveCost of commitments'' fees',
                        'detail':'counted 0, as what is used and unused of them carries it',
                        'amount': case when is_commitment_fee then given_effective_cost end
                    },
                    {
                        'finding':'ContractedCost',
                        'detail':'contracted cost is taken from prices, list, amortised or billed cost',
                        'amount': case when given_contracted_cost is null then contracted_cost end
                    },
                    {
                        'finding':'ListCost',
                        'detail':'list cost is taken from prices or the contracted cost',
                        'amount': case when given_list_cost is null then list_cost end
                    }
                ],
                recursive := true
            )
        from focus_rows
        where
            effective_cost <> billed_cost
            or given_effective_cost is distinct from effective_cost
            or given_contracted_cost is null
            or given_list_cost is null
    ),

    findings as (
        select *
        from aws_cur_findings
        union all by name
        select *
        from focus_findings
    )

select
    usage_date,
    x_source_name,
    billing_period,
    billing_currency,
    commitment_discount_id,
    finding,
    detail,
    min_by(x_landed_file, (x_landed_file, x_landed_row)) as x_landed_file,
    min_by(x_landed_row, (x_landed_file, x_landed_row)) as x_landed_row,
    count(distinct x_landed_file) as file_count,
    count(*) as row_count,
    cast(sum(amount) as decimal(38, 12)) as amount
from findings
where amount <> 0
group by all
