-- Which feature drives this customer's cost?
-- In the newest month, the elements of the dimension that tells most apart (features, in the example), each
-- with its largest service and its change. The customer is the variable `customer`, by default the
-- costliest one.
with
    month as (select max(billing_month) as billing_month from {{ ref("customer_costs_monthly") }}),

    costs as (
        select costs.*, costs.billing_month = month.billing_month as is_now
        from {{ ref("customer_costs_monthly") }} as costs
        inner join
            month
            on costs.billing_month
            in (month.billing_month, cast(month.billing_month - interval 1 month as date))
        where costs.customer_id <> 'unallocated'
    ),

    chosen as (
        select customer_id, billing_currency
        from costs
        where is_now and {{ "customer_id = '" ~ var("customer") ~ "'" if var("customer", none) else "true" }}
        group by all
        order by sum(effective_cost) desc, customer_id
        limit 1
    ),

    elements as (
        {%- for name in dimension_names() %}
            select
                customer_id,
                billing_currency,
                '{{ name }}' as dimension,
                count(distinct {{ name }}) over () as element_count,
                coalesce({{ name }}, 'unmatched') as element,
                service_name,
                is_now,
                effective_cost
            from costs {{ "union all" if not loop.last }}
        {%- endfor %}
    ),

    services as (
        select
            dimension,
            element,
            billing_currency,
            service_name,
            coalesce(sum(effective_cost) filter (where is_now), 0) as cost,
            coalesce(sum(effective_cost) filter (where not is_now), 0) as cost_before
        from elements
        inner join chosen using (customer_id, billing_currency)
        where
            (element_count, dimension)
            = (select (element_count, dimension) from elements order by element_count desc, dimension limit 1)
        group by all
    )

select
    chosen.customer_id as customer,
    month.billing_month as month,
    services.dimension || ' ' || services.element as driver,
    services.billing_currency as currency,
    cast(sum(services.cost) as decimal(38, 2)) as cost,
    cast(
        100 * {{ ratio("sum(services.cost)", "sum(sum(services.cost)) over ()") }} as decimal(18, 1)
    ) as percent,
    cast(sum(services.cost - services.cost_before) as decimal(38, 2)) as change,
    arg_max(services.service_name, services.cost) as largest_service,
    cast(max(services.cost) as decimal(38, 2)) as its_cost
from services
cross join chosen
cross join month
group by all
order by cost desc, driver
