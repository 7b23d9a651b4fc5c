select
    usage_date,
    stream,
    reason,
    detail,
    batch_location,
    batch_row,
    cast(
        to_json(
            struct_pack(
                stream := stream,
                timestamp := strftime(usage_timestamp, '%Y-%m-%dT%H:%M:%SZ'),
                granularity := granularity,
                customer_id := customer_id,
                value := cast(value as varchar),
                operation := operation,
                filter := filter,
                record_id := record_id
            )
        ) as varchar
    ) as record
from ({{ judged_usage() }})
where reason is not null
