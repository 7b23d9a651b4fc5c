-- Only usage that was sent for exactly one element decides a split; what is sent for more, or for other
-- dimensions as well, may not concern the charge.
with
    splits as (
        select split_id, dimension, stream, list(distinct element) filter (element is not null) as elements
        from {{ ref("split_rules") }}
        where method = 'stream'
        group by all
    ),

    by_filter as (
        select usage_date, stream, filter, sum(usage_quantity) as usage_quantity
        from {{ ref("usage_by_period") }}
        where filter is not null and stream in (select stream from splits)
        group by all
    ),

    of_one_dimension as (
        select *, json_keys(filter)[1] as dimension from by_filter where len(json_keys(filter)) = 1
    ),

    of_one_element as (
        select
            usage_date,
            stream,
            dimension,
            json_extract_string(filter, '$.' || dimension || '[0]') as element,
            usage_quantity
        from of_one_dimension
        where json_array_length(filter, '$.' || dimension) = 1
    )

select
    of_one_element.usage_date,
    splits.split_id,
    of_one_element.element,
    cast(sum(of_one_element.usage_quantity) as decimal(38, 9)) as usage_quantity
from of_one_element
inner join splits on splits.stream = of_one_element.stream and splits.dimension = of_one_element.dimension
where splits.elements is null or list_contains(splits.elements, of_one_element.element)
group by all
