-- Both ends come from the marts, the causes from the bill; assert_bridge_ends_at_effective_cost checks that
-- they add up.
with
    ends as (
        select
            x_source_name,
            billing_month,
            billing_currency,
            case cost_column when 'billed_cost' then 1 else 9 end as cause_number,
            case cost_column when 'billed_cost' then 'billed cost' else 'effective cost' end as cause,
            sum(hop_cost) as amount
        from {{ ref("reconciliation") }}
        where hop = 'marts' and cost_column in ('billed_cost', 'effective_cost')
        group by all
    ),

    causes as (
        select
            x_source_name,
            cast(billing_period || '-01' as date) as billing_month,
            billing_currency,
            case
                detail
                when 'upfront fees'
                then 2
                when 'commitment fees'
                then 2
                when 'refunded fees'
                then 3
                when 'amortised upfront fees'
                then 4
                when 'used commitments'
                then 5
                when 'unused commitments'
                then 6
                when 'provider''s own'
                then 7
                else 8
            end as cause_number,
            detail as cause,
            sum(amount) as amount
        from {{ ref("cost_findings") }}
        where finding = 'cause'
        group by all
        having sum(amount) <> 0
    )

select
    billing_month,
    x_source_name,
    billing_currency,
    cause_number,
    cause,
    cast(amount as decimal(38, 12)) as amount
from
    (
        select *
        from ends
        union all by name
        select *
        from causes
    )
